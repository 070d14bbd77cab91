// Tests of time limits, further tries and input, on real processes.
package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestInputIsTheFileAndIsThereForEachTry(t *testing.T) {
	input := file(t, "a\x00b\n")
	if out, errs, code := start(t, "--stdin", input, "--", "cat"); out != "a\x00b\n" || code != 0 {
		t.Fatalf("got %q %q %d", out, errs, code)
	}
	if out, _, code := start(t, "--stdin", input, "--retry", "1", "--", "sh", "-c", "cat; exit 4"); out != "a\x00b\na\x00b\n" || code != 4 {
		t.Fatalf("got %q %d", out, code)
	}
	if _, errs, code := start(t, "--stdin", "/no/such", "--", "cat"); code != exitMisuse || !strings.Contains(errs, "cannot read the input /no/such") {
		t.Fatalf("got %q %d", errs, code)
	}
}

func TestACommandThatTakesTooLongEndsWithAllItsProcesses(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	// The second one does not listen to the friendly signal.
	script := `sleep 1000 & echo $! > ` + pids + `; trap '' TERM; wait; while :; do sleep 1000; done`
	_, errs, code := start(t, "--timeout", "300ms", "--", "sh", "-c", script)
	if code != exitTimeout || !strings.Contains(errs, "sh took longer than its timeout of 300ms and is ended") {
		t.Fatalf("got %q %d", errs, code)
	}
	pid, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("ps", "-o", "stat=", "-p", strings.TrimSpace(string(pid))).Output(); err == nil && !strings.HasPrefix(string(out), "Z") {
		t.Fatalf("process %s still runs", pid)
	}
}

func TestACommandThatEndsInTimeKeepsItsExitCode(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 7": 7, "kill -TERM $$": 143} {
		if out, errs, code := start(t, "--timeout", "1m", "--", "sh", "-c", script); code != want || errs != "" || out != "" {
			t.Errorf("%s: exit %d %q, want %d", script, code, errs, want)
		}
	}
}

func TestAFailedCommandIsTriedAgainOnTheSameFiles(t *testing.T) {
	count := filepath.Join(t.TempDir(), "count")
	script := `echo try >> ` + count + `; test $(wc -l < ` + count + `) -ge 3 || exit 9`
	_, errs, code := start(t, "--retry", "5", "--backoff", "1ms", "--", "sh", "-c", script)
	if code != 0 || strings.Count(errs, "trying again") != 2 || !strings.Contains(errs, "try 1 of 6 ended with exit code 9; trying again in 1ms") {
		t.Fatalf("got %q %d", errs, code)
	}
	if _, errs, code := start(t, "--retry", "2", "--", "sh", "-c", "exit 9"); code != 9 || strings.Count(errs, "trying again") != 2 {
		t.Fatalf("got %q %d", errs, code)
	}
	if _, errs, code := start(t, "--retry", "2", "--ok", "0,9", "--", "sh", "-c", "exit 9"); code != 9 || errs != "" {
		t.Fatalf("got %q %d", errs, code)
	}
	if _, errs, code := start(t, "--retry", "1", "--timeout", "50ms", "--", "sleep", "1000"); code != exitTimeout || strings.Count(errs, "took longer") != 2 {
		t.Fatalf("got %q %d", errs, code)
	}
}

func TestWhoIsToldToEndPassesItOnAndTriesNoMore(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	command := exec.Command(binary, "--retry", "3", "--", "sh", "-c", "trap 'exit 5' TERM; touch "+ready+"; while :; do sleep 0.05; done")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(ready); err == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
	if code := command.ProcessState.ExitCode(); code != 5 {
		t.Fatalf("exit %d, want 5", code)
	}
}

func TestCommandsThatCannotStartAndWrongOptionsAreTold(t *testing.T) {
	plain := file(t, "text")
	for text, args := range map[string][]string{
		"command \"no-such\" not found":                  {"--timeout", "1s", "--", "no-such"},
		"no execute permission":                          {"--retry", "1", "--", plain},
		"option --timeout takes a time such as 1m30s":    {"--timeout", "soon", "--", "true"},
		"option --backoff takes a time such as 1m30s":    {"--backoff", "-1s", "--", "true"},
		"option --retry takes a number, got \"-1\"":      {"--retry", "-1", "--", "true"},
		"option --ok takes exit codes, got \"0,failed\"": {"--ok", "0,failed", "--", "true"},
	} {
		if _, errs, code := start(t, args...); code < exitMisuse || code > exitNotFound || !strings.Contains(errs, text) {
			t.Errorf("%q: exit %d %q, want %q", args, code, errs, text)
		}
	}
}
