// Suggestions: what a person who misspelt a name could have meant.

package main

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/access"
	"cuelang.org/go/cue/build"
)

// suggestNames adds to references that lead nowhere the nearest name they could have meant.
func suggestNames(list []Finding, instance *build.Instance) []Finding {
	for i, f := range list {
		if name, ok := between(f.Message, `reference "`, `" not found`); ok && len(f.At) > 0 && instance != nil {
			list[i].Hint = suggestName(name, namesAt(instance, f.At[0]))
		}
		if name, ok := between(f.Message, `builtin package "`, `" undefined`); ok {
			list[i].Hint = didYouMean(nearest(name, builtinPackages))
		}
	}
	return list
}

func suggestName(name string, names []string) string {
	for _, pkg := range builtinPackages {
		if path.Base(pkg) == name {
			return "Add `import " + strconv.Quote(pkg) + "`"
		}
	}
	if near := nearest(name, names); near != "" {
		return didYouMean(near)
	}
	if name == "nil" || name == "None" || name == "undefined" {
		return didYouMean("null")
	}
	return "Text is written in quotes: " + strconv.Quote(name)
}

func between(text, prefix, suffix string) (string, bool) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, suffix)
}

// suggestField gives the nearest field that the struct around an unknown one has or may have, or lists them when they are few.
func suggestField(f Finding, root *access.Root) string {
	parent, name := "", f.Path
	if i := strings.LastIndexByte(f.Path, '.'); i >= 0 {
		parent, name = f.Path[:i], f.Path[i+1:]
	}
	around, ok := find(root.Vertex(), parent)
	if !ok {
		return ""
	}
	labels := slices.DeleteFunc(around.Labels(), func(label string) bool { return label == name })
	if near := nearest(name, labels); near != "" {
		return didYouMean(near)
	}
	if f.ofAlternative || len(labels) == 0 || len(labels) > 12 {
		return ""
	}
	return "It may have " + strings.Join(labels, ", ")
}

var missingBuiltin = regexp.MustCompile(`^cannot call non-function (\w+)\.(\w+) \(type _\|_\)$`)

// explainCall says of a call of something that a builtin package does not have what it does have.
func (s *Session) explainCall(f Finding) Finding {
	call := missingBuiltin.FindStringSubmatch(f.Message)
	if call == nil {
		return f
	}
	for _, file := range s.instance.Files {
		for spec := range file.ImportSpecs() {
			if importName(spec) != call[1] {
				continue
			}
			if labels := access.BuiltinLabels(s.ctx, strings.Trim(spec.Path.Value, `"`)); labels != nil {
				f.Code, f.Message = "cue-reference", "package "+call[1]+" has no "+call[2]
				f.Hint = didYouMean(nearest(call[2], labels))
				return f
			}
		}
	}
	return f
}
