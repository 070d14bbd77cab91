// Formatting: files in the standard format, byte for byte what `cue fmt` writes.

package main

import (
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"
)

// format formats every file, or says what is wrong with those that do not parse.
func (s *Session) format(r Request) Answer {
	answer := Answer{}
	for _, file := range r.Files {
		// Parsed anew: a tree that waits for a load must stay as it is.
		syntax, err := parser.ParseFile(file.Name, file.Text, parseOptions(r.Version)...)
		if err != nil {
			answer.Findings = append(answer.Findings, explainSyntax(file, findings(err, "cue-syntax", nil))...)
			continue
		}
		text, err := format.Node(syntax)
		if err != nil {
			answer.Findings = append(answer.Findings, findings(errors.Promote(err, file.Name), "cue-syntax", nil)...)
			continue
		}
		answer.Formatted = append(answer.Formatted, string(text))
	}
	return answer
}
