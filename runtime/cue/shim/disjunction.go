// Failed disjunctions: of all alternatives, the one that was meant; or the values that were to choose from.

package main

import (
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue/errors"
)

// meant leaves out the alternatives that differ from the value in a plain value of a field, such as `do`, when others fail for another
// reason: those were meant. It gives nil when no alternative is left out, or all are.
func meant(list []errors.Error) []errors.Error {
	var kept []errors.Error
	for _, e := range list {
		if !isOtherValue(e) {
			kept = append(kept, e)
		}
	}
	if len(kept) == 0 || len(kept) == len(list) {
		return nil
	}
	// A field that one alternative knows is not told to be unknown to the others.
	return slices.DeleteFunc(slices.Clone(kept), func(e errors.Error) bool {
		format, _ := e.Msg()
		return format == notAllowed && slices.ContainsFunc(kept, func(other errors.Error) bool {
			otherFormat, _ := other.Msg()
			return otherFormat != notAllowed && slices.Equal(other.Path(), e.Path())
		})
	})
}

const (
	notAllowed = "field not allowed"
	otherValue = "conflicting values %s and %s"
	otherType  = "conflicting values %s and %s (mismatched types %s and %s)"
)

// isOtherValue tells whether two plain values of one type differ.
func isOtherValue(e errors.Error) bool {
	format, _ := e.Msg()
	return format == otherValue
}

// choice explains a value that is none of those to choose from; ok is false when the alternatives are of another form.
func choice(list []errors.Error) (message, hint string, ok bool) {
	var pairs [][2]string
	for _, e := range list {
		format, args := e.Msg()
		if format != otherValue && format != otherType || !slices.Equal(e.Path(), list[0].Path()) {
			return "", "", false
		}
		pairs = append(pairs, [2]string{fmt.Sprint(args[0]), fmt.Sprint(args[1])})
	}
	if len(pairs) < 2 {
		return "", "", false
	}
	for _, given := range pairs[0] {
		var others []string
		for _, p := range pairs {
			switch given {
			case p[0]:
				others = append(others, p[1])
			case p[1]:
				others = append(others, p[0])
			}
		}
		if len(others) == len(pairs) {
			slices.Sort(others)
			others = slices.Compact(others)
			return given + " is none of " + strings.Join(others, ", "), oneOf(given, others), true
		}
	}
	return "", "", false
}

func oneOf(given string, others []string) string {
	if strings.HasPrefix(given, `"`) {
		if near := nearest(given, others); near != "" {
			return didYouMean(near)
		}
	}
	return "Write one of them"
}
