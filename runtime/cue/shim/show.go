// Showing: the evaluated instance, or an expression in its scope, as text: byte for byte what `cue eval` and `cue export` print.

package main

import (
	"bytes"
	stdjson "encoding/json"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/encoding/yaml"
)

// show is "load" with another answer; of what is wrong with the values the answer is the same.
func (s *Session) show(value cue.Value, wish Show) []byte {
	if wish.Expression != "" {
		expr, err := parser.ParseExpr("-e", wish.Expression, parser.AllErrors)
		if err != nil {
			file := File{Name: "-e", Text: wish.Expression}
			return encode(Answer{Findings: explainSyntax(file, findings(err, "cue-syntax", s.own))})
		}
		value = value.Context().BuildExpr(expr, cue.Scope(value), cue.InferBuiltins(true), cue.ImportPath(s.importPath))
	}
	if err := value.Err(); err != nil && code(err) == "cue-reference" {
		return s.notShown(err)
	}
	if err := value.Validate(cue.Concrete(wish.Concrete || wish.Format != "cue")); err != nil {
		return s.notShown(err)
	}
	if wish.Format == "text" && value.Kind() != cue.StringKind {
		return encode(Answer{Findings: []Finding{{
			Code: "cue-not-text", Message: "Only a string can be shown as text, and this is " + kindWords(value.Kind().String()), At: []Position{},
			Hint: "Choose a string with -e, or use --output json",
		}}})
	}
	text, err := render(value, wish)
	if err != nil {
		return s.notShown(err)
	}
	return encode(Answer{Shown: &text})
}

const incomplete = "incomplete value %v"

func (s *Session) notShown(err error) []byte {
	list := findings(err, "cue-value", s.own)
	for i, f := range list {
		if f.format == incomplete {
			list[i].Code, list[i].Message = "cue-incomplete", f.Path+" has no value yet, only a type: "+strings.TrimPrefix(f.raw, "incomplete value ")
			list[i].Hint = "Pass it with -i, if no run computes it; --output cue shows types, too"
		}
	}
	return encode(Answer{Findings: withoutRepeats(list)})
}

func render(value cue.Value, wish Show) (string, error) {
	switch wish.Format {
	case "json":
		data, err := value.MarshalJSON()
		if err != nil {
			return "", err
		}
		var out bytes.Buffer
		if err := stdjson.Indent(&out, data, "", "    "); err != nil {
			return "", err
		}
		return out.String() + "\n", nil
	case "yaml":
		data, err := yaml.Encode(value)
		return string(data), err
	case "text":
		text, err := value.String()
		return text + "\n", err
	}
	options := []cue.Option{cue.Final(), cue.Definitions(true), cue.Optional(wish.All)}
	if wish.Concrete {
		options = append(options, cue.Concrete(true))
	}
	if wish.All {
		// Said with false it would hide definitions, too.
		options = append(options, cue.Hidden(true))
	}
	syntax := value.Syntax(options...)
	data, err := format.Node(toFile(syntax), format.UseSpaces(4), format.TabIndent(false))
	return string(data), err
}

// toFile: only a file always ends with a newline.
func toFile(syntax ast.Node) ast.Node {
	switch x := syntax.(type) {
	case *ast.StructLit:
		file := &ast.File{Decls: x.Elts}
		ast.SetComments(file, ast.Comments(x))
		return file
	case ast.Expr:
		ast.SetRelPos(x, token.NoSpace)
		return &ast.File{Decls: []ast.Decl{&ast.EmbedDecl{Expr: x}}}
	}
	return syntax
}
