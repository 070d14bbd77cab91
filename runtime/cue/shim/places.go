// Places: where a value is written, the most telling first.

package main

import (
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/access"
	"cuelang.org/go/cue/token"
)

// placer orders places: the user's own files before libraries, and what a user wrote before the definitions it refers to.
type placer struct {
	own map[string]bool
}

func (p placer) of(v access.Vertex) []Position {
	places := v.Places()
	slices.SortStableFunc(places, func(a, b access.Place) int { return p.rank(a) - p.rank(b) })
	out := make([]Position, 0, len(places))
	for _, place := range places {
		if at := position(place.Pos); !slices.Contains(out, at) {
			out = append(out, at)
		}
	}
	return out
}

func (p placer) rank(place access.Place) int {
	rank := 0
	if mine, isFile := p.own[place.Pos.Filename()]; isFile && !mine {
		rank += 2
	}
	if place.FromDefinition {
		rank++
	}
	return rank
}

func position(pos token.Pos) Position {
	p := pos.Position()
	return Position{strings.TrimPrefix(p.Filename, "./"), p.Line, p.Column}
}

func itoa(i int) string { return strconv.Itoa(i) }
