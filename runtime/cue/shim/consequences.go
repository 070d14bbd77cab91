// Consequences: one wrong value makes functions and texts that use it fail, and values that others keep of it. Only the first is told.

package main

import (
	"slices"
	"strings"

	"cuelang.org/go/cue/errors"
)

// withoutConsequences leaves out the findings that are gone when another one is mended.
func withoutConsequences(list []Finding, own map[string]bool) []Finding {
	list = withoutUses(list)
	return slices.DeleteFunc(slices.Clone(list), func(f Finding) bool {
		return slices.ContainsFunc(list, func(g Finding) bool { return f.follows(g, own) })
	})
}

// use is a place where a text has a value in it, and the path of that value.
type use struct {
	path string
	at   Position
}

// withoutUses leaves out what a text tells again of a wrong value that it has in it, when the value itself is told.
func withoutUses(list []Finding) []Finding {
	uses := map[use]bool{}
	for _, f := range list {
		if len(f.At) > 0 && strings.HasPrefix(f.Message, "Invalid interpolation: ") {
			uses[use{f.Path, f.At[0]}] = true
		}
	}
	isUse := func(f Finding) bool { return len(f.At) > 0 && uses[use{f.Path, f.At[0]}] }
	told := map[string]bool{}
	for _, f := range list {
		told[f.Path] = told[f.Path] || !isUse(f)
	}
	return slices.DeleteFunc(slices.Clone(list), func(f Finding) bool { return isUse(f) && told[f.Path] })
}

// follows tells whether g is the mistake that f comes from. Of two findings at most one follows the other.
func (f Finding) follows(g Finding, own map[string]bool) bool {
	mine, theirs := ownPlaces(f, own), ownPlaces(g, own)
	switch {
	case f.Path != g.Path && slices.Contains(f.causes, g.Path) && !slices.Contains(g.causes, f.Path):
		return true
	case g.format == ownError && f.Path != g.Path && strings.Contains(f.raw, g.Path+": "+g.raw):
		return true
	case isHidden(f.Path) && !isHidden(g.Path):
		// A definition hands its inputs on to others.
		return f.Code == g.Code && len(mine) > 0 && slices.Equal(mine, theirs)
	case f.Path == g.Path && g.choice && !f.choice:
		// What each alternative says is in the words about all of them.
		return !slices.ContainsFunc(mine, func(p Position) bool { return !slices.Contains(theirs, p) })
	}
	return false
}

func ownPlaces(f Finding, own map[string]bool) []Position {
	var out []Position
	for _, p := range f.At {
		if mine, isFile := own[p.File]; mine || !isFile {
			out = append(out, p)
		}
	}
	return out
}

func isHidden(path string) bool {
	return strings.HasPrefix(path, "_") || strings.Contains(path, "._")
}

// causesOf lists the paths of the errors that an error was made of, where they are others.
func causesOf(e errors.Error) []string {
	var out []string
	path := pathOf(e)
	for cause := errors.Unwrap(e); cause != nil; cause = errors.Unwrap(cause) {
		if inner, ok := cause.(errors.Error); ok {
			if p := pathOf(inner); p != "" && p != path {
				out = append(out, p)
			}
		}
	}
	return out
}
