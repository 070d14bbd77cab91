// Find: looks commands up in PATH.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

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
