// Findings: CUE's errors as data, with every place and the whole chain of causes.

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
)

// findings lists the errors of err, ordered and without duplicates. An error that is none of the known kinds gets fallback as code.
func findings(err error, fallback string, own map[string]bool) []Finding {
	var out []Finding
	for _, e := range errors.Errors(err) {
		format, _ := e.Msg()
		out = append(out, Finding{code(format, fallback), e.Error(), pathOf(e), positions(e, own)})
	}
	return out
}

// code sorts errors by the format of CUE's messages, which is constant as the version of CUE is pinned.
func code(format, fallback string) string {
	return cmp.Or(codes[format], fallback)
}

var codes = map[string]string{
	"field not allowed":                     "cue-unknown-field",
	"structural cycle":                      "cue-cycle",
	"field is required but not present":     "cue-required",
	"cannot find package %q":                "cue-import",
	"builtin package %q undefined":          "cue-import",
	"import %q not found":                   "cue-import",
	"import cycle: %q imports itself":       "cue-import",
	"reference %q not found":                "cue-reference",
	"undefined field: %s":                   "cue-reference",
	"%d errors in empty disjunction:":       "cue-disjunction",
	"invalid value %v (out of bound %s)":    "cue-bound",
	"incompatible list lengths (%d and %d)": "cue-conflict",
}

func pathOf(e errors.Error) string {
	var b strings.Builder
	for _, label := range e.Path() {
		element := label != "" && strings.Trim(label, "0123456789") == ""
		if element {
			b.WriteString("[" + label + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(label)
	}
	return b.String()
}

func positions(err error, own map[string]bool) []Position {
	out := []Position{}
	var add func(err error)
	add = func(err error) {
		for _, p := range errors.Positions(err) {
			if at := position(p); p != token.NoPos && !slices.Contains(out, at) {
				out = append(out, at)
			}
		}
		if inner := errors.Unwrap(err); inner != nil {
			add(inner)
		}
	}
	add(err)
	slices.SortStableFunc(out, func(a, b Position) int { return rank(own, a) - rank(own, b) })
	return out
}

func rank(own map[string]bool, p Position) int {
	if own[p.File] {
		return 0
	}
	return 1
}

func encodeFindings(list []Finding) []byte {
	data, err := json.Marshal(list)
	if err != nil {
		return []byte(fmt.Sprintf("[{%q:%q}]", "message", err.Error()))
	}
	return data
}
