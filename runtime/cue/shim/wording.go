// Wording: CUE's messages in words that need no knowledge of how CUE works inside, with one thing to do next.

package main

import (
	"fmt"
	"path"
	"strings"

	"cuelang.org/go/cue/errors"
)

// wording says what one kind of error means for the value at a path, and what to do; args are those of CUE's message.
type wording func(path string, args []string) (message, hint string)

// inWords words an error, or the nearest of its causes that is known. ok is false when none is.
func inWords(e errors.Error) (message, hint string, ok bool) {
	where := pathOf(e)
	var err error = e
	for ; err != nil; err = errors.Unwrap(err) {
		known, isError := err.(errors.Error)
		if !isError {
			continue
		}
		format, args := known.Msg()
		word, found := wordings[format]
		if !found {
			continue
		}
		texts := make([]string, len(args), len(args)+4)
		for i, arg := range args {
			texts[i] = fmt.Sprint(arg)
		}
		// Room for every argument that a wording asks for, should CUE give fewer.
		message, hint = word(where, append(texts, "", "", "", ""))
		if cause := errors.Unwrap(err); cause != nil && withCause[format] {
			message += ": " + causeText(cause, append(texts, where))
		}
		return message, hint, message != ""
	}
	return "", "", false
}

// withCause holds formats whose causes say more than the message.
var withCause = map[string]bool{
	"invalid value %s (does not satisfy %s)": true,
	"error in call to %s":                    true,
}

// causeText is the text of a cause without the name of the function that the message has already.
func causeText(cause error, args []string) string {
	if list := errors.Errors(cause); len(list) > 0 {
		if message, _, ok := inWords(list[0]); ok {
			return message
		}
	}
	text := cause.Error()
	for _, arg := range args {
		if arg != "" {
			text = strings.TrimPrefix(text, arg+": ")
		}
	}
	return text
}

// ownError is the format of what error("…") says.
const ownError = "%s"

var wordings = map[string]wording{
	// error("what is wrong; what to do"): packages tell mistakes in their use so.
	ownError: func(_ string, a []string) (string, string) {
		what, next, found := strings.Cut(a[0], "; ")
		if !found {
			return "", ""
		}
		return upperFirst(what), upperFirst(next)
	},
	"conflicting values %s and %s": func(path string, a []string) (string, string) {
		return named(path, "Two different values") + ": " + a[1] + " and " + a[0],
			"Keep one of them; a value that others may replace is written as a default: *" + a[1] + " | …"
	},
	"conflicting values %s and %s (mismatched types %s and %s)": func(path string, a []string) (string, string) {
		return mismatch(path, a[0], a[1], a[2], a[3])
	},
	"conflicting value %s (mismatched types %s and %s)": func(path string, a []string) (string, string) {
		return mismatch(path, a[0], a[0], a[1], a[2])
	},
	"incompatible list lengths (%d and %d)": func(path string, a []string) (string, string) {
		return named(path, "Two lists of different lengths") + ": one has " + count(a[0], "element") + ", the other " + a[1],
			"Two lists for one field must agree in every element; a list that may grow ends in `...`: [1, 2, ...]"
	},
	"cannot combine regular field %q with %v": func(path string, a []string) (string, string) {
		return "The field " + a[0] + " stands beside the value " + shorten(a[1]) + ", which is no struct", "Give the value a name of its own, e.g. value: " + shorten(a[1])
	},
	"invalid value %v (out of bound %s)": outOfBound,
	"invalid value %s (does not satisfy %s)": func(path string, a []string) (string, string) {
		return named(path, "The value") + " is " + shorten(a[0]) + ", which does not satisfy " + a[1], "Change the value, or the rule that it breaks"
	},
	"incompatible integer bounds %v and %v": noNumberFits,
	"incompatible number bounds %v and %v":  noNumberFits,
	"incompatible string bounds %v and %v":  noNumberFits,
	"incompatible bytes bounds %v and %v":   noNumberFits,
	"extern attribute without package clause": func(string, []string) (string, string) {
		return "The attribute @extern stands in a file that names no package", "Write package NAME below it"
	},
	"cannot slice %v (type %s)": func(_ string, a []string) (string, string) {
		hint := "Lists and bytes have slices: x[0:2]"
		if a[1] == "string" {
			hint = "Write strings.SliceRunes(x, 0, 2), with import \"strings\""
		}
		return "Only lists and bytes have parts x[a:b], got " + shorten(a[0]) + ", which is " + kindWords(a[1]), hint
	},
	"cannot convert negative number to uint64": func(string, []string) (string, string) {
		return "Text and lists are repeated 0 or more times, not less", "Check the number before, e.g. if n > 0 {…}"
	},
	"invalid string: %v": func(_ string, a []string) (string, string) {
		return "Not a text: " + a[0], "Characters beyond \\uffff are written \\U0001f600, or as they are"
	},
	"field not allowed": func(path string, _ []string) (string, string) { return unknownField(path), "" },
	"structural cycle": func(string, []string) (string, string) {
		return "The value contains itself", "Refer to a part of the value that does not contain the reference"
	},
	"field is required but not present": func(path string, _ []string) (string, string) {
		return "The field " + path + " is required, but not given", "Add " + lastLabel(path) + ": …"
	},
	"reference %q not found": func(_ string, a []string) (string, string) {
		return "There is nothing called " + a[0] + " here", ""
	},
	"undefined field: %s": func(path string, a []string) (string, string) {
		return "There is no field " + a[0], "Check the spelling"
	},
	"import %q not found":    func(_ string, a []string) (string, string) { return "Cannot find package " + quoted(a[0]), "" },
	"cannot find package %q": func(_ string, a []string) (string, string) { return "Cannot find package " + quoted(a[0]), "" },
	"builtin package %q undefined": func(_ string, a []string) (string, string) {
		return "CUE has no package " + quoted(a[0]), "The packages of CUE itself are listed at https://pkg.go.dev/cuelang.org/go/pkg"
	},
	"import cycle: %q imports itself": func(_ string, a []string) (string, string) {
		return "Package " + quoted(a[0]) + " imports itself, by way of other packages", "Move what both need to a third package"
	},
	"imported and not used: %s": func(_ string, a []string) (string, string) {
		return "Package " + a[0] + " is imported, but not used", "Remove the import"
	},
	"imported and not used: %s as %s": func(_ string, a []string) (string, string) {
		return "Package " + a[0] + " is imported as " + a[1] + ", but not used", "Remove the import"
	},
	"unreferenced alias or let clause %s": func(_ string, a []string) (string, string) {
		return "Nothing uses " + a[0], "Remove it, or check the spelling of where it should be used"
	},
	"%q is not a CUE path, e.g. app.name": func(_ string, a []string) (string, string) {
		return quoted(a[0]) + " is not a CUE path", "Write the labels with dots between, e.g. app.name"
	},
	"%s is not declared in the configuration": func(_ string, a []string) (string, string) {
		return "The config has no field " + a[0], "Check the spelling, or declare it in the config, e.g. " + a[0] + ": string"
	},
	"%s: an element of a list cannot be set from outside, only the whole list": func(_ string, a []string) (string, string) {
		return a[0] + " is an element of a list, and only whole lists can be set from outside", "Pass the list: -i PATH='[…]'"
	},
	"invalid operands %s and %s to '%s' (type %s and %s)": func(_ string, a []string) (string, string) {
		return "Cannot compute " + shorten(a[0]) + " " + a[2] + " " + shorten(a[1]) + ": " + kindWords(a[3]) + " and " + kindWords(a[4]), operandHint(a)
	},
	"invalid operation %v (%s %s)": func(_ string, a []string) (string, string) {
		return "Cannot compute " + a[1] + " of " + kindWords(a[2]), map[string]string{"!": "! takes true or false, e.g. !(x == 1)"}[a[1]] + map[string]string{"-": "- takes a number", "+": "+ takes a number"}[a[1]]
	},
	"%s %q requires @experiment(aliasv2)": func(_ string, a []string) (string, string) {
		return "There is nothing called " + strings.Trim(a[1], "\"") + " here", "A field refers to the fields around it by their names alone"
	},
	"package %q imported but not defined in %s": func(_ string, a []string) (string, string) {
		return "Cannot find package " + quoted(a[0]), "An import is a path such as example.com/name, without https://"
	},
	"%s redeclared as imported package name\n\tprevious declaration at %s": func(_ string, a []string) (string, string) {
		return "The name " + a[0] + " is taken already, at " + a[1], "Remove one of the two, or import under another name: import other \"…\""
	},
	"invalid operand %s (found %s, want list or struct)": func(_ string, a []string) (string, string) {
		return shorten(a[0]) + " is " + kindWords(a[1]) + ", here must stand " + "a list or a struct", "Lists have elements x[0] and structs have fields x.name"
	},
	"invalid operand %s ('%s' requires concrete value)": func(_ string, a []string) (string, string) {
		return "Cannot compute " + a[1] + " of " + shorten(a[0]) + ", which is a type and no value", "Write a value, or refer to a field that has one"
	},
	"Addition of lists is superseded by list.Concat; see https://cuelang.org/e/v0.11-list-arithmetic": func(string, []string) (string, string) {
		return "Lists cannot be added with +", "Write list.Concat([a, b]), with import \"list\""
	},
	"Multiplication of lists is superseded by list.Repeat; see https://cuelang.org/e/v0.11-list-arithmetic": func(string, []string) (string, string) {
		return "Lists cannot be multiplied with *", "Write list.Repeat(a, 3), with import \"list\""
	},
	"failed arithmetic: %v": func(_ string, a []string) (string, string) {
		return "Cannot compute this: " + a[0], "Check the operands before, e.g. if x != 0 {…}"
	},
	"division by zero": func(string, []string) (string, string) {
		return "Cannot compute this: division by zero", "Check the divisor before, e.g. if x != 0 {…}"
	},
	"not enough arguments in call to %v (have %d, want %d)": argumentCount("few"),
	"too many arguments in call to %v (have %d, want %d)":   argumentCount("many"),
	"error in call to %s": func(_ string, a []string) (string, string) {
		return a[0] + " fails", manual(a[0])
	},
	"cannot call non-function %s (type %s)": func(_ string, a []string) (string, string) {
		if a[1] == "_|_" {
			return a[0] + " is not a function", "Check the spelling, and the imports"
		}
		return a[0] + " is not a function, it is " + kindWords(a[1]), "CUE has no functions of your own; those there are come from packages, e.g. strings.Join"
	},
	"cannot use %s (type %s) as %s in argument %d to %v": func(_ string, a []string) (string, string) {
		return a[4] + " takes " + kindWords(a[2]) + " as argument " + a[3] + ", got " + shorten(a[0]), typeHint(a[2], a[1], a[0])
	},
	"cannot use %s (type %s) as type %s": func(_ string, a []string) (string, string) {
		return "Here must stand " + kindWords(a[2]) + ", got " + shorten(a[0]) + ", which is " + kindWords(a[1]), useHint(a[2], a[1], a[0])
	},
	"cannot use %s (type %s) as type %s in %v": func(_ string, a []string) (string, string) {
		return "Here must stand " + kindWords(a[2]) + ", got " + shorten(a[0]) + ", which is " + kindWords(a[1]) + ", in " + a[3], useHint(a[2], a[1], a[0])
	},
	"cannot range over %s (found %s, want list or struct)": func(_ string, a []string) (string, string) {
		return "A loop goes over a list or a struct, got " + shorten(a[0]) + ", which is " + kindWords(a[1]), "To count, write: for i in list.Range(0, 5, 1) {…}, with import \"list\""
	},
	"invalid index %v (index must be non-negative)": func(_ string, a []string) (string, string) {
		return "There is no element " + a[0] + ": the first one is [0]", "The last element of a list x is x[len(x)-1]"
	},
	"index out of range [%d] with length %d": func(_ string, a []string) (string, string) {
		return "The list has no element [" + a[0] + "]: it has " + count(a[1], "element"), "Elements are counted from 0"
	},
	"index %v out of range [%v]": func(_ string, a []string) (string, string) {
		return "There is no element " + a[0], "Elements are counted from 0"
	},
	"invalid index %s (invalid type %v)": func(_ string, a []string) (string, string) {
		return "Cannot take the element " + shorten(a[0]) + ": that is " + kindWords(a[1]), "Elements of lists are numbered, fields of structs are named by strings"
	},
	"invalid slice index: %d > %d": func(_ string, a []string) (string, string) {
		return "The slice starts at " + a[0] + " and ends before that, at " + a[1], "Write the smaller index first"
	},
	"invalid regexp: %s": func(_ string, a []string) (string, string) {
		return "Not a regular expression: " + strings.TrimPrefix(a[0], "error parsing regexp: "), "The syntax is that of https://github.com/google/re2/wiki/Syntax"
	},
	"explicit error (_|_ literal) in source": func(string, []string) (string, string) {
		return "The config says itself that this must not happen: _|_", "Look at the condition above it, which is true"
	},
	"empty list in call to or": func(string, []string) (string, string) {
		return "or() has nothing to choose from: its list is empty", "Give it at least one value"
	},
	"ellipsis must be last element in list": func(string, []string) (string, string) {
		return "`...` must be the last element of a list", "Move it behind the others"
	},
	"cannot use _ as label": func(string, []string) (string, string) {
		return "_ cannot name a field", "Write \"_\" in quotes, or another name"
	},
	"integer fields not supported": func(string, []string) (string, string) {
		return "A number cannot name a field", "Write it in quotes, or put a text around it: \"\\(x)\""
	},
	"cyclic reference to field %s": func(_ string, a []string) (string, string) {
		return "The field " + a[0] + " is computed from itself", "Break the circle"
	},
	"cyclic references in let clause or alias": func(string, []string) (string, string) {
		return "A let is computed from itself", "Break the circle"
	},
	"adding field %v not allowed as field set was already referenced": func(_ string, a []string) (string, string) {
		return "The field " + a[0] + " is added by a condition or loop that looks at the same struct", "Put what is added into a struct of its own"
	},
	requiredMissing: func(_ string, a []string) (string, string) {
		return "The field " + a[0] + " is required, but not given", "Add " + a[0] + ": …"
	},
	"preference mark not allowed at this position": func(string, []string) (string, string) {
		return "The mark * of a default only has a meaning between the values of a choice", "Write *value | type, e.g. *80 | int"
	},
	"%s values not allowed in this position": func(_ string, a []string) (string, string) {
		return "A value of this kind cannot stand here: " + a[0], "Write a field, or a struct"
	},
	"alias expression is not a valid label": func(string, []string) (string, string) {
		return "An alias has the name of a label behind its =", "Write X=label: value"
	},
	"%d matched, expected %v": func(path string, a []string) (string, string) {
		return named(path, "The value") + " fits " + a[0] + " of the alternatives, " + a[1] + " must fit", "Change the value so that it fits"
	},
	"number is not an int64: %v": func(_ string, a []string) (string, string) {
		return "The number is too large to be used here: " + a[0], "Use a smaller one"
	},
	"float %s cannot be used as label": func(_ string, a []string) (string, string) {
		return "The number " + a[0] + " cannot name a field", "Write it in quotes: \"" + a[0] + "\""
	},
	"%s count %d exceeds limit of %d": func(_ string, a []string) (string, string) {
		return "Too much to compute: " + a[0] + " " + a[1] + ", at most " + a[2], "Compute less at once"
	},
}

func noNumberFits(path string, a []string) (string, string) {
	return named(path, "No value") + " can be both " + a[0] + " and " + a[1], "Change one of the two bounds"
}

func outOfBound(path string, a []string) (string, string) {
	value, bound := shorten(a[0]), a[1]
	what := named(path, "The value")
	switch {
	case strings.HasPrefix(bound, "=~"):
		return what + " is " + value + ", which does not match the pattern " + bound[2:], "Change the text, or the pattern"
	case strings.HasPrefix(bound, "!~"):
		return what + " is " + value + ", which matches the pattern " + bound[2:] + " that it must not match", "Change the text, or the pattern"
	case strings.HasPrefix(bound, "!="):
		return what + " must not be " + bound[2:], "Give it another value"
	}
	return what + " is " + value + ", but must be " + bound, "Give a value that is " + bound + ", or change the bound"
}

func argumentCount(which string) wording {
	return func(_ string, a []string) (string, string) {
		return "Too " + which + " arguments: " + a[0] + " takes " + a[2] + ", got " + a[1], manual(a[0])
	}
}

// manual says where a builtin function is documented.
func manual(function string) string {
	for _, pkg := range builtinPackages {
		if name := function[:max(0, strings.LastIndexByte(function, '.'))]; name != "" && (name == pkg || name == path.Base(pkg)) {
			return "It is described at https://pkg.go.dev/cuelang.org/go/pkg/" + pkg
		}
	}
	return "It is described at https://cuelang.org/docs/reference/spec/#builtin-functions"
}

// unknownField tells the whole path only where it is short: it stands below the message anyway.
func unknownField(path string) string {
	return "There is no field " + lastLabel(path) + " here: the definition does not allow it"
}

func lastLabel(path string) string {
	quote := false
	for i := len(path) - 1; i >= 0; i-- {
		switch path[i] {
		case '"':
			quote = !quote
		case '.':
			if !quote {
				return path[i+1:]
			}
		}
	}
	return path
}

// named says what a message is about: the field by its path, or `what` where there is none.
func named(path, what string) string {
	if path == "" {
		return what
	}
	switch what {
	case "Two different values", "Two lists of different lengths":
		return what + " for " + path
	case "No value":
		return what + " of " + path
	}
	return "The value of " + path
}

func quoted(text string) string { return `"` + strings.Trim(text, `"`) + `"` }

func count(n, noun string) string {
	if n == "1" {
		return "1 " + noun
	}
	return n + " " + noun + "s"
}

const longest = 60

// shorten keeps the start of a value that a person recognises.
func shorten(text string) string {
	if chars := []rune(text); len(chars) > longest {
		return string(chars[:longest-1]) + "…"
	}
	return text
}
