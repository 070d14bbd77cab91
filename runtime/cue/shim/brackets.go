// Brackets: the one that is never closed, or closed by another, found by reading the text alone.

package main

import (
	"strings"
)

// stray is a bracket without its partner.
type stray struct {
	message, hint string
	at            []Position
	// line from which on the parser may stumble over it.
	line int
}

// explains tells whether a syntax error comes from the bracket: the parser met a bracket or the end of the file where it must not be.
func (s *stray) explains(f Finding) bool {
	brackets := strings.HasSuffix(f.Message, "found the end of the file") || strings.HasPrefix(f.Message, "Expected a comma") ||
		strings.HasPrefix(f.Message, "Expected the end of the file, found") || strings.HasSuffix(f.Message, "found )") ||
		strings.HasSuffix(f.Message, "found ]") || strings.HasSuffix(f.Message, "found }")
	return brackets && line(f) >= s.line
}

var closing = map[byte]byte{'{': '}', '[': ']', '(': ')'}

type bracket struct {
	char byte
	at   Position
}

// unmatched gives the first bracket that has no partner, nil when each has one.
func unmatched(file File) *stray {
	var open []bracket
	for b := range brackets(file) {
		if closing[b.char] != 0 {
			open = append(open, b)
			continue
		}
		if len(open) == 0 {
			return &stray{"The " + string(b.char) + " closes nothing", "Remove it, or add the bracket that it closes", []Position{b.at}, b.at.Line}
		}
		last := open[len(open)-1]
		if want := closing[last.char]; want != b.char {
			return &stray{"The " + string(last.char) + " is closed by " + string(b.char) + " instead of " + string(want),
				"Write " + string(want) + " where the second place is shown", []Position{last.at, b.at}, last.at.Line}
		}
		open = open[:len(open)-1]
	}
	if len(open) == 0 {
		return nil
	}
	last := open[len(open)-1]
	return &stray{"The " + string(last.char) + " is never closed", "Add the " + string(closing[last.char]) + " where it ends", []Position{last.at}, last.at.Line}
}

// brackets goes over the brackets of a text, leaving out strings and comments.
func brackets(file File) func(yield func(bracket) bool) {
	return func(yield func(bracket) bool) {
		text, line, start := file.Text, 1, 0
		for i := 0; i < len(text); i++ {
			switch c := text[i]; c {
			case '\n':
				line, start = line+1, i+1
			case '/':
				if strings.HasPrefix(text[i:], "//") {
					i += lineLength(text[i:]) - 1
				}
			case '"', '\'':
				end := stringLength(text[i:], c)
				lines := strings.Count(text[i:i+end], "\n")
				if lines > 0 {
					line, start = line+lines, i+strings.LastIndexByte(text[i:i+end], '\n')+1
				}
				i += end - 1
			case '{', '[', '(', '}', ']', ')':
				if !yield(bracket{c, Position{file.Name, line, i - start + 1}}) {
					return
				}
			}
		}
	}
}

func lineLength(text string) int {
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		return i
	}
	return len(text)
}

// stringLength is that of the string literal at the start of a text; one that is not closed ends with its line.
func stringLength(text string, quote byte) int {
	marks := string(quote)
	if triple := strings.Repeat(marks, 3); strings.HasPrefix(text, triple) {
		if end := strings.Index(text[3:], triple); end >= 0 {
			return end + 6
		}
		return len(text)
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '\n':
			return i
		case quote:
			return i + 1
		}
	}
	return len(text)
}
