// Command cue-patch makes a copy of the pinned CUE module, changed in two places, with a few files of ours added.
//
//	go run ./cue-patch -to DIR [-tests]
//
// It runs inside tools/, whose go.mod says which version of CUE is meant. A text to replace that is not in the
// original exactly once is an error: a new version of CUE needs a new look at the patch, never a silent build without it.
// See docs/decisions/cue-structure-sharing.md and docs/decisions/long-evaluations.md.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A replacement changes one exactly matching text of one file of the module.
type replacement struct {
	file, old, new string
}

var replacements = []replacement{{
	file: "internal/core/adt/share.go",
	old:  "if n.node.ClosedRecursive && !arc.ClosedRecursive {",
	new:  "if n.node.ClosedRecursive && !arc.ClosedRecursive && !n.mayShareOpen(arc) {",
}, {
	file: "internal/core/adt/context.go",
	old:  "func (c *OpContext) evalStateCI(v Expr, state Flags) (result Value, ci CloseInfo) {",
	new:  "func (c *OpContext) evalStateCI(v Expr, state Flags) (result Value, ci CloseInfo) {\n\ttick()",
}}

func main() {
	to := flag.String("to", "", "directory to make; replaced when it exists")
	files := flag.String("files", "cue-patch/_files", "directory with the files to add")
	tests := flag.Bool("tests", false, "copy the tests too, to run CUE's own tests against the patch")
	flag.Parse()
	if err := run(*to, *files, *tests); err != nil {
		fmt.Fprintln(os.Stderr, "cue-patch:", err)
		os.Exit(1)
	}
}

func run(to, files string, tests bool) error {
	if to == "" {
		return fmt.Errorf("-to is missing")
	}
	from, err := moduleDir("cuelang.org/go")
	if err != nil {
		return err
	}
	// Made beside the target and renamed, so that a build that is cut off leaves no half copy.
	tmp := to + ".new"
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	keep := func(path string) bool { return tests || wanted(path) }
	if err := copyTree(from, tmp, keep); err != nil {
		return err
	}
	if err := copyTree(files, tmp, func(string) bool { return true }); err != nil {
		return err
	}
	for _, r := range replacements {
		if err := r.apply(tmp); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return os.Rename(tmp, to)
}

// moduleDir downloads the pinned version of a module, if need be, and says where it lies.
func moduleDir(module string) (string, error) {
	list := exec.Command("go", "list", "-m", "-f", "{{.Version}}", module)
	list.Stderr = os.Stderr
	version, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("go list -m %s: %w", module, err)
	}
	download := exec.Command("go", "mod", "download", "-json", module+"@"+strings.TrimSpace(string(version)))
	download.Stderr = os.Stderr
	out, err := download.Output()
	if err != nil {
		return "", fmt.Errorf("go mod download %s: %w", module, err)
	}
	var info struct{ Dir string }
	if err := json.Unmarshal(out, &info); err != nil {
		return "", err
	}
	return info.Dir, nil
}

// wanted leaves out what a build never reads.
func wanted(path string) bool {
	return !strings.HasSuffix(path, "_test.go") && !strings.Contains(path, "/testdata/") && !strings.HasPrefix(path, "cmd/") &&
		!strings.HasPrefix(path, "doc/")
}

// copyTree copies files; the copy is writable, which the module cache is not.
func copyTree(from, to string, keep func(path string) bool) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() || !keep(filepath.ToSlash(rel)) {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		dest := filepath.Join(to, rel)
		if err := os.MkdirAll(filepath.Dir(dest), 0o755); err != nil {
			return err
		}
		return os.WriteFile(dest, data, 0o644)
	})
}

func (r replacement) apply(root string) error {
	path := filepath.Join(root, filepath.FromSlash(r.file))
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if n := bytes.Count(data, []byte(r.old)); n != 1 {
		return fmt.Errorf("%s has the text to replace %d times, expected once: %q; this version of CUE needs a new patch", r.file, n, r.old)
	}
	return os.WriteFile(path, bytes.Replace(data, []byte(r.old), []byte(r.new), 1), 0o644)
}
