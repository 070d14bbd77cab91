// Scopes: which names a place in a file can refer to, read from the syntax alone.

package main

import (
	"path"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
)

// predeclared names that people misspell.
var predeclared = []string{
	"string", "bytes", "bool", "int", "float", "number", "null", "true", "false", "len", "close", "and", "or", "div", "mod", "quo", "rem",
	"uint", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64",
}

// namesAt lists what can be referred to at a place: labels of the structs around it, of the package, imports, variables.
func namesAt(instance *build.Instance, at Position) []string {
	names := predeclared
	for _, file := range instance.Files {
		names = append(names, labelsOf(file.Decls)...)
		if file.Filename != at.File {
			continue
		}
		for spec := range file.ImportSpecs() {
			names = append(names, importName(spec))
		}
		ast.Walk(file, func(n ast.Node) bool {
			if !holdsPlace(n, at) {
				return false
			}
			names = append(names, introduced(n)...)
			return true
		}, nil)
	}
	return names
}

// holdsPlace tells whether a place lies inside a node. Nodes without a position may hold it.
func holdsPlace(n ast.Node, at Position) bool {
	from, to := n.Pos(), n.End()
	if !from.IsValid() || !to.IsValid() {
		return true
	}
	after := from.Line() < at.Line || from.Line() == at.Line && from.Column() <= at.Column
	before := to.Line() > at.Line || to.Line() == at.Line && to.Column() >= at.Column
	return after && before
}

// introduced lists the names that a node gives to what is inside it.
func introduced(n ast.Node) []string {
	switch x := n.(type) {
	case *ast.StructLit:
		return labelsOf(x.Elts)
	case *ast.Comprehension:
		var names []string
		for _, clause := range x.Clauses {
			switch c := clause.(type) {
			case *ast.ForClause:
				names = append(names, identName(c.Key), identName(c.Value))
			case *ast.LetClause:
				names = append(names, identName(c.Ident))
			}
		}
		return names
	}
	return nil
}

func labelsOf(decls []ast.Decl) []string {
	var names []string
	for _, d := range decls {
		switch x := d.(type) {
		case *ast.Field:
			if label, ok := x.Label.(*ast.Ident); ok {
				names = append(names, label.Name)
			}
		case *ast.LetClause:
			names = append(names, identName(x.Ident))
		}
	}
	return names
}

// importName is the name that an import has in its file: its own, or the last part of the path.
func importName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	location, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return ""
	}
	if _, name, ok := strings.Cut(location, ":"); ok {
		return name
	}
	location, _, _ = strings.Cut(location, "@")
	return path.Base(location)
}

func identName(ident *ast.Ident) string {
	if ident == nil {
		return ""
	}
	return ident.Name
}
