// Tests of dagger-run: it is built once and run as a container would run it.
package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "dagger-run")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "dagger-run")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "value")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func start(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	command := exec.Command(binary, args...)
	var out, errs strings.Builder
	command.Stdout, command.Stderr = &out, &errs
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		if status := exit.Sys().(syscall.WaitStatus); status.Signaled() {
			return out.String(), errs.String(), 128 + int(status.Signal())
		}
		return out.String(), errs.String(), exit.ExitCode()
	}
	return out.String(), errs.String(), 0
}

func TestValuesReachTheCommandByteForByte(t *testing.T) {
	env, arg := file(t, "from env\n"), file(t, "$HOME; `x` \u00e9\n\n")
	out, errs, code := start(t, "--env", "URL="+env, "--arg", "4="+arg, "--", "sh", "-c", `printf '%s|%s|%s' "$URL" "$1" "$2"`, "name", "", "last")
	if code != 0 || errs != "" || out != "from env\n|$HOME; `x` \u00e9\n\n|last" {
		t.Fatalf("got %q %q %d", out, errs, code)
	}
}

func TestExitCodesAndSignalsAreTheCommands(t *testing.T) {
	for script, want := range map[string]int{"exit 7": 7, "kill -TERM $$": 143, "exit 0": 0} {
		if _, _, code := start(t, "--env", "A="+file(t, "x"), "--", "sh", "-c", script); code != want {
			t.Errorf("%s: exit %d, want %d", script, code, want)
		}
	}
}

func TestMistakesAreToldWithTheExitCodesOfAShell(t *testing.T) {
	value, nul, plain := file(t, "x"), file(t, "a\x00b"), file(t, "text")
	cases := []struct {
		args []string
		code int
		text string
	}{
		{[]string{"--env", "A=" + value, "--", "no-such-command"}, 127, `command "no-such-command" not found in PATH`},
		{[]string{"--env", "A=" + value, "--", "/no/such"}, 127, "command /no/such not found"},
		{[]string{"--env", "A=" + value, "--", plain}, 126, "no execute permission"},
		{[]string{"--env", "A=" + value, "--", "/"}, 126, "directory"},
		{[]string{"--env", "A=" + nul, "--", "true"}, 125, "the value for A has a NUL byte"},
		{[]string{"--env", "A=/no/such", "--", "true"}, 125, "cannot read the value for A"},
		{[]string{"--arg", "3=" + value, "--", "true"}, 125, "the command has 1 arguments"},
		{[]string{"--arg", "x=" + value, "--", "true"}, 125, "takes an index"},
		{[]string{"--what", "x=" + value, "--", "true"}, 125, "unknown option --what"},
		{[]string{"--env", "A"}, 125, "takes NAME=FILE"},
		{[]string{"--env"}, 125, "lacks its value"},
		{[]string{"--"}, 125, "no command given"},
		{[]string{"--arg", "0=" + file(t, ""), "--", ""}, 127, "the command is empty"},
	}
	for _, c := range cases {
		if out, errs, code := start(t, c.args...); code != c.code || !strings.Contains(errs, c.text) || out != "" {
			t.Errorf("%q: exit %d %q, want %d %q", c.args, code, errs, c.code, c.text)
		}
	}
}
