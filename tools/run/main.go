// Command dagger-run starts a process as LLB alone cannot say it: with values that the job computed in its environment and arguments,
// with input, with a time limit, and again when it fails. It is mounted into a container, so it must be static and need nothing of it.
//
//	dagger-run [OPTION]... -- COMMAND [ARG]...
//
//	--env NAME=FILE    sets a variable to the whole file, byte for byte
//	--arg INDEX=FILE   the same for an argument; INDEX counts from 0, the command itself
//	--stdin FILE       what the command reads from standard input
//	--timeout TIME     ends a try that takes longer, with all its processes: exit code 124
//	--retry COUNT      tries again when it fails, so many times
//	--backoff TIME     waits before the first of these tries, and twice as long before each further one
//	--ok CODE,CODE     exit codes that are no failure; 0 when left out
//
// Exit codes of its own are those of a shell: 126 the command cannot be executed, 127 it is not found; 125 anything else. All others
// are the command's.
package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

const (
	exitTimeout       = 124
	exitMisuse        = 125
	exitNotExecutable = 126
	exitNotFound      = 127
	defaultPath       = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

// failure is an error with the exit code that tells it.
type failure struct {
	code int
	text string
}

func (f *failure) Error() string { return f.text }

func main() {
	code, err := run(os.Args[1:], os.Environ())
	if err != nil {
		var f *failure
		if !errors.As(err, &f) {
			f = &failure{exitMisuse, err.Error()}
		}
		fmt.Fprintln(os.Stderr, "dagger: "+f.text)
		code = f.code
	}
	os.Exit(code)
}

// run gives the exit code of the command. Without a limit and further tries it does not return: the process becomes the command.
func run(words, env []string) (int, error) {
	options, err := parse(words)
	if err != nil {
		return 0, err
	}
	args, env, err := fill(options, env)
	if err != nil {
		return 0, err
	}
	path, err := find(args[0], lookup(env, "PATH"))
	if err != nil {
		return 0, err
	}
	c := command{path: path, args: args, env: env, stdin: options.stdin}
	if options.timeout > 0 || options.retry > 0 {
		return supervise(c, options)
	}
	return 0, c.become()
}

// command is a program ready to start.
type command struct {
	path  string
	args  []string
	env   []string
	stdin string
}

// become replaces this process: signals and the exit code are the command's own.
func (c command) become() error {
	if c.stdin != "" {
		fd, err := syscall.Open(c.stdin, syscall.O_RDONLY, 0)
		if err == nil {
			err = syscall.Dup3(fd, 0, 0)
		}
		if err != nil {
			return fmt.Errorf("cannot read the input %s: %w", c.stdin, err)
		}
	}
	return startError(c.path, syscall.Exec(c.path, c.args, c.env))
}

// startError says why a program could not be started.
func startError(path string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOENT):
		return &failure{exitNotFound, fmt.Sprintf("cannot run %s: its interpreter or loader is not in this filesystem", path)}
	case errors.Is(err, syscall.E2BIG):
		return &failure{exitNotExecutable, fmt.Sprintf("cannot run %s: arguments and environment are too long; pass a large value as a file", path)}
	default:
		return &failure{exitNotExecutable, fmt.Sprintf("cannot run %s: %v", path, err)}
	}
}
