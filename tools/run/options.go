// Options: what dagger-run is told, and the values that it reads from files.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// options are what stands before "--", and the command after it.
type options struct {
	env     []assignment
	args    []assignment
	stdin   string
	timeout time.Duration
	retry   int
	backoff time.Duration
	// Exit codes that are no failure.
	ok      map[int]bool
	command []string
}

// assignment is NAME=FILE.
type assignment struct{ name, file string }

func parse(words []string) (*options, error) {
	o := &options{ok: map[int]bool{}}
	for len(words) > 0 && words[0] != "--" {
		if len(words) < 2 {
			return nil, fmt.Errorf("option %s lacks its value", words[0])
		}
		if err := o.set(words[0], words[1]); err != nil {
			return nil, err
		}
		words = words[2:]
	}
	if len(words) < 2 {
		return nil, errors.New("no command given")
	}
	o.command = words[1:]
	if len(o.ok) == 0 {
		o.ok[0] = true
	}
	return o, nil
}

func (o *options) set(name, value string) (err error) {
	switch name {
	case "--env", "--arg":
		label, file, ok := strings.Cut(value, "=")
		if !ok {
			return fmt.Errorf("option %s takes NAME=FILE, got %q", name, value)
		}
		list := &o.env
		if name == "--arg" {
			list = &o.args
		}
		*list = append(*list, assignment{label, file})
	case "--stdin":
		o.stdin = value
	case "--timeout":
		o.timeout, err = duration(name, value)
	case "--backoff":
		o.backoff, err = duration(name, value)
	case "--retry":
		if o.retry, err = strconv.Atoi(value); err != nil || o.retry < 0 {
			return fmt.Errorf("option --retry takes a number, got %q", value)
		}
	case "--ok":
		for _, text := range strings.Split(value, ",") {
			code, err := strconv.Atoi(text)
			if err != nil {
				return fmt.Errorf("option --ok takes exit codes, got %q", value)
			}
			o.ok[code] = true
		}
	default:
		return fmt.Errorf("unknown option %s", name)
	}
	return err
}

func duration(name, value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("option %s takes a time such as 1m30s, got %q", name, value)
	}
	return d, nil
}

// fill reads the values and gives the command's arguments and environment.
func fill(o *options, env []string) ([]string, []string, error) {
	for _, a := range o.env {
		text, err := read(a.file, a.name)
		if err != nil {
			return nil, nil, err
		}
		env = set(env, a.name, text)
	}
	args := append([]string(nil), o.command...)
	for _, a := range o.args {
		index, err := strconv.Atoi(a.name)
		if err != nil {
			return nil, nil, fmt.Errorf("option --arg takes an index, got %q", a.name)
		}
		if index < 0 || index >= len(args) {
			return nil, nil, fmt.Errorf("option --arg %d: the command has %d arguments", index, len(args))
		}
		if args[index], err = read(a.file, a.name); err != nil {
			return nil, nil, err
		}
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
