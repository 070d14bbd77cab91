// Findings: CUE's errors as data, in plain words, with every place and the whole chain of causes.

package main

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
)

// findings lists the errors of err. An error that is none of the known kinds gets fallback as code.
func findings(err error, fallback string, own map[string]bool) []Finding {
	var out []Finding
	list := errors.Errors(err)
	for i := 0; i < len(list); i++ {
		e := list[i]
		format, args := e.Msg()
		if format != emptyDisjunction {
			out = appendOnce(out, finding(e, fallback, own))
			continue
		}
		// The errors of the alternatives come right behind; alone they would read as if each one had to be mended.
		n := alternatives(list[i+1:], e.Path(), args)
		out = append(out, failedDisjunction(e, list[i+1:i+1+n], fallback, own)...)
		i += n
	}
	return withoutConsequences(out, own)
}

// appendOnce adds a finding. A failed import is told by each package on the way to it: the one with the fewest places is the import itself.
func appendOnce(list []Finding, f Finding) []Finding {
	same := slices.IndexFunc(list, func(other Finding) bool {
		return f.Code == "cue-import" && other.Code == f.Code && other.Message == f.Message
	})
	switch {
	case same < 0:
		return append(list, f)
	case len(f.At) < len(list[same].At):
		list[same] = f
	}
	return list
}

func finding(e errors.Error, fallback string, own map[string]bool) Finding {
	format, args := e.Msg()
	f := Finding{Code: cmp.Or(code(e), fallback), Path: pathOf(e), At: positions(e, own), format: format, args: args, raw: plain(e), causes: causesOf(e)}
	message, hint, known := inWords(e)
	if !known {
		message = upperFirst(f.raw)
	}
	f.Message, f.Hint = message, hint
	return f
}

func failedDisjunction(e errors.Error, alternatives []errors.Error, fallback string, own map[string]bool) []Finding {
	if one := meant(alternatives); one != nil {
		var out []Finding
		for _, a := range one {
			f := finding(a, fallback, own)
			f.ofAlternative = true
			out = append(out, f)
		}
		return out
	}
	f := finding(e, fallback, own)
	f.Hint = "Make the value fit one of them"
	f.Message, f.At = disjunction(alternatives, f.At, own)
	if message, hint, ok := choice(alternatives); ok {
		f.Message, f.Hint, f.choice = message, hint, true
	}
	return []Finding{f}
}

// code is that of the outermost known error in the chain of causes, empty when there is none.
func code(err error) string {
	for ; err != nil; err = errors.Unwrap(err) {
		if e, ok := err.(errors.Error); ok {
			if format, _ := e.Msg(); codes[format] != "" {
				return codes[format]
			}
		}
	}
	return ""
}

const emptyDisjunction = "%d errors in empty disjunction:"

// codes sorts errors by the format of CUE's messages, which does not change as long as the version of CUE is pinned.
var codes = map[string]string{
	"conflicting values %s and %s":                              "cue-conflict",
	"conflicting values %s and %s (mismatched types %s and %s)": "cue-conflict",
	"conflicting value %s (mismatched types %s and %s)":         "cue-conflict",
	"incompatible list lengths (%d and %d)":                     "cue-conflict",
	"cannot combine regular field %q with %v":                   "cue-conflict",
	"invalid value %v (out of bound %s)":                        "cue-bound",
	"invalid value %s (does not satisfy %s)":                    "cue-bound",
	"field not allowed":                                         "cue-unknown-field",
	"%s is not declared in the configuration":                   "cue-unknown-field",
	"structural cycle":                                          "cue-cycle",
	"field is required but not present":                         "cue-required",
	"cannot find package %q":                                    "cue-import",
	"builtin package %q undefined":                              "cue-import",
	"import %q not found":                                       "cue-import",
	"import cycle: %q imports itself":                           "cue-import",
	"imported and not used: %s":                                 "cue-unused",
	"imported and not used: %s as %s":                           "cue-unused",
	"unreferenced alias or let clause %s":                       "cue-unused",
	"reference %q not found":                                    "cue-reference",
	"undefined field: %s":                                       "cue-reference",
	"%q is not a CUE path, e.g. app.name":                       "cue-fill",
	embedFailed:                                                 "cue-embed",
	noModuleToEmbed:                                             "cue-embed",
	emptyDisjunction:                                            "cue-disjunction",
}

// The formats of what goes wrong with @embed.
const (
	embedFailed     = "@%s"
	noModuleToEmbed = "cannot embed files when not in a module"
)

// hinted gives findings of a code that have no hint one.
func hinted(list []Finding, code, hint string) []Finding {
	for i := range list {
		if list[i].Code == code {
			list[i].Hint = cmp.Or(list[i].Hint, hint)
		}
	}
	return list
}

// plain is CUE's own message with its causes, without the path and place that CUE puts in front of it: those are data of their own.
func plain(e errors.Error) string {
	message := strings.TrimPrefix(e.Error(), strings.Join(e.Path(), ".")+": ")
	if p := e.Position(); p.IsValid() {
		message = strings.TrimPrefix(message, p.String()+": ")
	}
	for strings.HasPrefix(message, "import failed: ") {
		message = strings.TrimPrefix(message, "import failed: ")
	}
	return message
}

// alternatives counts the errors that belong to a failed disjunction.
func alternatives(list []errors.Error, path []string, args []any) int {
	most, _ := args[0].(int)
	n := 0
	for n < len(list) && n < most {
		p := list[n].Path()
		if len(p) < len(path) || !slices.Equal(p[:len(path)], path) {
			break
		}
		n++
	}
	return n
}

// disjunction puts the errors of all alternatives into one.
func disjunction(list []errors.Error, at []Position, own map[string]bool) (string, []Position) {
	message := "None of the alternatives fits"
	told := map[string]bool{}
	for _, e := range list {
		words := finding(e, "", own).Message
		if !told[words] {
			message += "\n- " + words
		}
		told[words] = true
		for _, p := range positions(e, own) {
			if !slices.Contains(at, p) {
				at = append(at, p)
			}
		}
	}
	slices.SortStableFunc(at, func(a, b Position) int { return rank(own, a) - rank(own, b) })
	return message, at
}

// pathOf writes the labels of an error as a path: `a.#up[0]`. A label of digits that is no index has quotes.
func pathOf(e errors.Error) string {
	var b strings.Builder
	for _, label := range e.Path() {
		switch element := strings.Trim(label, "0123456789") == ""; {
		case label == "" || label == "for" || label == "let":
			// The compiler's own names of scopes, which no path has.
		case element:
			b.WriteString("[" + label + "]")
		case b.Len() > 0:
			b.WriteString("." + label)
		default:
			b.WriteString(label)
		}
	}
	return b.String()
}

// positions lists every place of an error and of its causes, the user's own files first.
func positions(err error, own map[string]bool) []Position {
	out := []Position{}
	for ; err != nil; err = errors.Unwrap(err) {
		for _, p := range errors.Positions(err) {
			if at := position(p); p != token.NoPos && !slices.Contains(out, at) {
				out = append(out, at)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Position) int { return rank(own, a) - rank(own, b) })
	return out
}

// rank puts library files behind the user's own, and behind what comes from outside.
func rank(own map[string]bool, p Position) int {
	if mine, isFile := own[p.File]; isFile && !mine {
		return 1
	}
	return 0
}

func encodeFindings(list []Finding) []byte {
	data, err := json.Marshal(list)
	if err != nil {
		return []byte("[]")
	}
	return data
}
