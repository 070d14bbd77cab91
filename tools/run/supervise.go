// Supervise: runs a command as a child, so that it can be ended in time and tried again.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	// What a command has to end by itself once it is told to.
	grace = 5 * time.Second
	// Waiting between tries grows no further.
	longestBackoff = 5 * time.Minute
)

// supervise gives the exit code of the last try. All tries run in the same container, on the files that the ones before left.
func supervise(c command, o *options) (int, error) {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	wait := o.backoff
	for try := 0; ; try++ {
		code, told, err := once(c, o.timeout, signals)
		if err != nil || told || o.ok[code] || try == o.retry {
			return code, err
		}
		say("try %d of %d ended with exit code %d; trying again%s", try+1, o.retry+1, code, after(wait))
		if !pause(wait, signals) {
			return code, nil
		}
		wait = min(2*wait, longestBackoff)
	}
}

func say(format string, values ...any) {
	fmt.Fprintf(os.Stderr, "dagger: "+format+"\n", values...)
}

func after(wait time.Duration) string {
	if wait == 0 {
		return ""
	}
	return " in " + wait.String()
}

// pause is false when a signal ends it.
func pause(wait time.Duration, signals <-chan os.Signal) bool {
	select {
	case <-time.After(wait):
		return true
	case <-signals:
		return false
	}
}

// once runs the command to its end, with all processes of its group. told: it was this process that was told to end.
func once(c command, timeout time.Duration, signals <-chan os.Signal) (code int, told bool, err error) {
	process, err := c.start()
	if err != nil {
		return 0, false, err
	}
	ended := make(chan int, 1)
	go func() { ended <- reap(process.Pid) }()
	var late, hopeless <-chan time.Time
	if timeout > 0 {
		late = time.After(timeout)
	}
	timedOut := false
	for {
		select {
		case code := <-ended:
			killGroup(process.Pid, syscall.SIGKILL)
			if timedOut {
				return exitTimeout, told, nil
			}
			return code, told, nil
		case <-late:
			say("%s took longer than its timeout of %s and is ended", c.args[0], timeout)
			timedOut, late = true, nil
			killGroup(process.Pid, syscall.SIGTERM)
			hopeless = time.After(grace)
		case <-hopeless:
			hopeless = nil
			killGroup(process.Pid, syscall.SIGKILL)
		case s := <-signals:
			told = true
			killGroup(process.Pid, s.(syscall.Signal))
		}
	}
}

// start starts the command at the head of a process group of its own.
func (c command) start() (*os.Process, error) {
	input := os.Stdin
	if c.stdin != "" {
		file, err := os.Open(c.stdin)
		if err != nil {
			return nil, fmt.Errorf("cannot read the input %s: %w", c.stdin, err)
		}
		defer file.Close()
		input = file
	}
	process, err := os.StartProcess(c.path, c.args, &os.ProcAttr{
		Env:   c.env,
		Files: []*os.File{input, os.Stdout, os.Stderr},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		return nil, startError(c.path, err)
	}
	return process, nil
}

// reap waits for a child and gives its exit code as a shell does. As the first process of a container it also has to take leave of
// processes that others left behind.
func reap(pid int) int {
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return exitMisuse
		case ended != pid:
		case status.Signaled():
			return 128 + int(status.Signal())
		default:
			return status.ExitStatus()
		}
	}
}

func killGroup(pid int, s syscall.Signal) {
	// Everybody may have gone already.
	_ = syscall.Kill(-pid, s)
}
