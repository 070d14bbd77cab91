// The dependencies of a module: cue.mod/module.cue with other versions in its deps, and all else as a person wrote it.

package main

import (
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
)

// deps gives the text of a module file whose deps are the modules of the request, by name with the major version. Comments, the
// order, and what else a module has there stay.
func (s *Session) deps(r Request) Answer {
	answer := Answer{}
	for _, file := range r.Files {
		syntax, err := parser.ParseFile(file.Name, file.Text, parser.ParseComments, parser.AllErrors)
		if err != nil {
			return Answer{Findings: explainSyntax(file, findings(err, "cue-syntax", nil))}
		}
		setDeps(syntax, r.Deps)
		text, err := format.Node(syntax)
		if err != nil {
			return Answer{Findings: findings(errors.Promote(err, file.Name), "cue-syntax", nil)}
		}
		answer.Formatted = append(answer.Formatted, string(text))
	}
	return answer
}

func setDeps(file *ast.File, wanted map[string]string) {
	missing := maps.Clone(wanted)
	var last *ast.StructLit
	for _, decl := range file.Decls {
		if body := structOf(decl, "deps"); body != nil {
			var kept []ast.Decl
			for _, elt := range body.Elts {
				if setDep(elt, wanted, missing) {
					kept = append(kept, elt)
				} else {
					kept = append(kept, commentsBehind(elt)...)
				}
			}
			body.Elts, last = kept, body
		}
	}
	if len(missing) == 0 {
		return
	}
	if last == nil {
		last = &ast.StructLit{}
		field := &ast.Field{Label: ast.NewIdent("deps"), Value: last}
		ast.SetRelPos(field, token.Newline)
		file.Decls = append(file.Decls, field)
	}
	// Even where the file has deps: "a@v0": v: "v0.1.0", for several modules there are braces.
	last.Lbrace, last.Rbrace = token.Blank.Pos(), token.Newline.Pos()
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		insertDep(last, name, missing[name])
	}
	for _, elt := range last.Elts {
		if elt.Pos().RelPos() < token.Newline {
			ast.SetRelPos(elt, token.Newline)
		}
	}
}

// setDep sets the version of one module; it is false for a module that is not wanted.
func setDep(elt ast.Decl, wanted, missing map[string]string) bool {
	field, ok := elt.(*ast.Field)
	if !ok {
		return true
	}
	label, _, err := ast.LabelName(field.Label)
	if err != nil {
		return true
	}
	body, ok := field.Value.(*ast.StructLit)
	if !ok {
		return true
	}
	version := versionOf(body)
	name := label
	if !strings.Contains(name, "@") && version != nil {
		name += "@" + majorOf(version.Value)
	}
	to, ok := wanted[name]
	if !ok {
		return false
	}
	delete(missing, name)
	if version != nil {
		version.Value = literal.String.Quote(to)
		return true
	}
	v := &ast.Field{Label: ast.NewIdent("v"), Value: ast.NewString(to)}
	body.Elts = append([]ast.Decl{v}, body.Elts...)
	body.Lbrace, body.Rbrace = token.Blank.Pos(), token.Newline.Pos()
	for _, elt := range body.Elts {
		ast.SetRelPos(elt, token.Newline)
	}
	return true
}

// commentsBehind are those below a field, which are not about it.
func commentsBehind(elt ast.Decl) []ast.Decl {
	var out []ast.Decl
	for _, group := range ast.Comments(elt) {
		if !group.Doc && !group.Line {
			out = append(out, group)
		}
	}
	return out
}

// insertDep puts a module before the first one whose name is greater: deps that are sorted stay so.
func insertDep(body *ast.StructLit, name, version string) {
	value := &ast.StructLit{Elts: []ast.Decl{&ast.Field{Label: ast.NewIdent("v"), Value: ast.NewString(version)}}}
	value.Lbrace, value.Rbrace = token.Blank.Pos(), token.Newline.Pos()
	ast.SetRelPos(value.Elts[0], token.Newline)
	field := &ast.Field{Label: ast.NewString(name), Value: value}
	ast.SetRelPos(field, token.Newline)
	at := slices.IndexFunc(body.Elts, func(elt ast.Decl) bool {
		other, ok := elt.(*ast.Field)
		if !ok {
			return false
		}
		label, _, err := ast.LabelName(other.Label)
		return err == nil && label > name
	})
	if at < 0 {
		at = len(body.Elts)
	}
	body.Elts = slices.Insert(body.Elts, at, ast.Decl(field))
}

func versionOf(body *ast.StructLit) *ast.BasicLit {
	for _, elt := range body.Elts {
		field, ok := elt.(*ast.Field)
		if !ok {
			continue
		}
		if label, _, err := ast.LabelName(field.Label); err == nil && label == "v" {
			if text, ok := field.Value.(*ast.BasicLit); ok && text.Kind == token.STRING {
				return text
			}
		}
	}
	return nil
}

func structOf(decl ast.Decl, name string) *ast.StructLit {
	field, ok := decl.(*ast.Field)
	if !ok {
		return nil
	}
	if label, _, err := ast.LabelName(field.Label); err != nil || label != name {
		return nil
	}
	body, _ := field.Value.(*ast.StructLit)
	return body
}

// majorOf takes v1 out of "v1.2.3", in quotes.
func majorOf(quoted string) string {
	major, _, _ := strings.Cut(strings.Trim(quoted, `"`), ".")
	return major
}
