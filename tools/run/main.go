// Command dagger-run puts values that a job computed into a process: it reads them from files, sets environment variables and
// arguments, and then becomes the command. It is mounted into a container, so it must be static and need nothing of it.
//
//	dagger-run [--env NAME=FILE]... [--arg INDEX=FILE]... -- COMMAND [ARG]...
//
// A value is the whole file, byte for byte. INDEX counts from 0, the command itself. Exit codes of its own are those of a shell:
// 126 the command cannot be executed, 127 it is not found; 125 anything else. All others are the command's.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
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
	err := run(os.Args[1:], os.Environ())
	var f *failure
	if !errors.As(err, &f) {
		f = &failure{exitMisuse, err.Error()}
	}
	fmt.Fprintln(os.Stderr, "dagger: "+f.text)
	os.Exit(f.code)
}

// run returns only when the command could not be started.
func run(options, env []string) error {
	args, env, err := fill(options, env)
	if err != nil {
		return err
	}
	path, err := find(args[0], lookup(env, "PATH"))
	if err != nil {
		return err
	}
	// The process is replaced: signals and the exit code are the command's own.
	switch err := syscall.Exec(path, args, env); {
	case errors.Is(err, syscall.ENOENT):
		return &failure{exitNotFound, fmt.Sprintf("cannot run %s: its interpreter or loader is not in this filesystem", path)}
	case errors.Is(err, syscall.E2BIG):
		return &failure{exitNotExecutable, fmt.Sprintf("cannot run %s: arguments and environment are too long; pass a large value as a file", path)}
	default:
		return &failure{exitNotExecutable, fmt.Sprintf("cannot run %s: %v", path, err)}
	}
}

// fill reads the values and gives the command's arguments and environment.
func fill(options, env []string) ([]string, []string, error) {
	type value struct {
		index int
		text  string
	}
	var values []value
	for len(options) > 0 && options[0] != "--" {
		if len(options) < 2 {
			return nil, nil, fmt.Errorf("option %s lacks its value", options[0])
		}
		name, file, ok := strings.Cut(options[1], "=")
		if !ok {
			return nil, nil, fmt.Errorf("option %s takes NAME=FILE, got %q", options[0], options[1])
		}
		text, err := read(file, name)
		if err != nil {
			return nil, nil, err
		}
		switch options[0] {
		case "--env":
			env = set(env, name, text)
		case "--arg":
			index, err := strconv.Atoi(name)
			if err != nil {
				return nil, nil, fmt.Errorf("option --arg takes an index, got %q", name)
			}
			values = append(values, value{index, text})
		default:
			return nil, nil, fmt.Errorf("unknown option %s", options[0])
		}
		options = options[2:]
	}
	if len(options) < 2 {
		return nil, nil, errors.New("no command given")
	}
	args := append([]string(nil), options[1:]...)
	for _, v := range values {
		if v.index < 0 || v.index >= len(args) {
			return nil, nil, fmt.Errorf("option --arg %d: the command has %d arguments", v.index, len(args))
		}
		args[v.index] = v.text
	}
	if args[0] == "" {
		return nil, nil, &failure{exitNotFound, "the command is empty"}
	}
	return args, env, nil
}

// read gives the text of a value. A process can take no NUL in arguments and environment.
func read(file, name string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("cannot read the value for %s: %w", name, err)
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return "", fmt.Errorf("the value for %s has a NUL byte, which no argument or variable can hold", name)
	}
	return string(data), nil
}

func set(env []string, name, text string) []string {
	kept := make([]string, 0, len(env)+1)
	for _, entry := range env {
		if !strings.HasPrefix(entry, name+"=") {
			kept = append(kept, entry)
		}
	}
	return append(kept, name+"="+text)
}

func lookup(env []string, name string) string {
	for _, entry := range env {
		if text, ok := strings.CutPrefix(entry, name+"="); ok {
			return text
		}
	}
	return ""
}

// find looks a command up as execvp does. Unlike os/exec it takes the PATH of the command, and tells files that are no programs.
func find(command, path string) (string, error) {
	if strings.Contains(command, "/") {
		return command, executable(command)
	}
	if path == "" {
		path = defaultPath
	}
	var denied error
	for _, dir := range filepath.SplitList(path) {
		if dir == "" {
			dir = "."
		}
		candidate := filepath.Join(dir, command)
		if !strings.Contains(candidate, "/") {
			candidate = "./" + candidate
		}
		err := executable(candidate)
		if err == nil {
			return candidate, nil
		}
		var f *failure
		if errors.As(err, &f) && f.code == exitNotExecutable && denied == nil {
			denied = err
		}
	}
	if denied != nil {
		return "", denied
	}
	return "", &failure{exitNotFound, fmt.Sprintf("command %q not found in PATH %s", command, path)}
}

func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
		return &failure{exitNotFound, fmt.Sprintf("command %s not found", path)}
	case err != nil:
		return &failure{exitNotExecutable, fmt.Sprintf("cannot run %s: %v", path, err)}
	case info.IsDir():
		return &failure{exitNotExecutable, fmt.Sprintf("cannot run %s: it is a directory", path)}
	case info.Mode()&0o111 == 0:
		return &failure{exitNotExecutable, fmt.Sprintf("cannot run %s: it has no execute permission", path)}
	}
	return nil
}
