// What an incomplete value waits for: the values at the end of its references that nobody has made concrete.

package main

import (
	"fmt"
	"strings"

	"cuelang.org/go/access"
	"cuelang.org/go/cue/errors"
)

// lack is one value without which another cannot become concrete.
type lack struct {
	path   string
	vertex access.Vertex
}

// lacking follows the references of an incomplete value down to those that refer to nothing incomplete themselves.
// A value that waits for no other waits for itself.
func lacking(v access.Vertex, path string, required bool) []lack {
	f := finder{seen: map[string]bool{path: true}, parts: map[string]bool{}}
	if !required {
		f.visit(v)
	}
	if len(f.found) == 0 {
		return []lack{{path, v}}
	}
	return f.found
}

type finder struct {
	// seen holds paths, not identities: a plain reference shares the structure of what it refers to.
	seen map[string]bool
	// parts holds the paths of structs and lists that were looked into.
	parts map[string]bool
	found []lack
}

// visit reports whether v waits for another value.
func (f *finder) visit(v access.Vertex) bool {
	waits := false
	// An expression that failed needs every operand. Without one, a definition among the references is only a type.
	operands := v.Err() != nil
	for _, r := range v.References() {
		kind, _ := r.Kind()
		if kind != access.Incomplete || !operands && r.InDefinition() {
			continue
		}
		waits = f.visitIncomplete(r) || waits
	}
	if !waits && operands {
		// The argument of a builtin such as json.Marshal is known to be a struct long before all that it holds is known.
		for _, r := range v.References() {
			waits = f.visitParts(r) || waits
		}
	}
	if !waits && operands {
		// Below the parts of an argument that were made on the way, only the error still knows what is not given.
		for _, label := range demandedBy(v.Err()) {
			if r, ok := v.Demanded(label); ok {
				waits = f.visitIncomplete(r) || waits
			}
		}
	}
	return waits
}

// demandedBy lists the labels of required fields that an error says are not given.
func demandedBy(err error) []string {
	var labels []string
	for ; err != nil; err = errors.Unwrap(err) {
		if e, ok := err.(errors.Error); ok {
			if format, args := e.Msg(); format == requiredMissing && len(args) > 0 {
				labels = append(labels, fmt.Sprint(args[0]))
			}
		}
	}
	return labels
}

const requiredMissing = "required field missing: %s"

// visitIncomplete visits a value that is not concrete, once, and keeps it when it waits for no other. It reports whether one can wait for it:
// only what has a path has a name.
func (f *finder) visitIncomplete(v access.Vertex) bool {
	path, known := v.UsePath()
	if !known || f.seen[path] {
		return known
	}
	f.seen[path] = true
	if !f.visit(v) {
		f.found = append(f.found, lack{path, v})
	}
	return true
}

// visitParts visits the incomplete fields and elements of a struct or list, at any depth, and reports whether there are any.
func (f *finder) visitParts(v access.Vertex) bool {
	if kind, _ := v.Kind(); kind != access.Struct && kind != access.List {
		return false
	}
	path, known := v.UsePath()
	if !known || f.parts[path] {
		return false
	}
	f.parts[path] = true
	parts := v.Elements()
	for _, arc := range v.Arcs() {
		if !arc.Definition && !arc.Hidden {
			parts = append(parts, arc.Vertex)
		}
	}
	waits := false
	for _, part := range parts {
		if kind, _ := part.Kind(); kind != access.Incomplete {
			waits = f.visitParts(part) || waits
			continue
		}
		waits = f.visitIncomplete(part) || waits
	}
	return waits
}

// join appends a label to a path.
func join(path, label string, element bool) string {
	var b strings.Builder
	b.WriteString(path)
	access.Append(&b, label, element)
	return b.String()
}
