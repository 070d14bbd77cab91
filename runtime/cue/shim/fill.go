// Fills: values from outside, put at paths of the loaded instance.

package main

import (
	"strings"

	"cuelang.org/go/access"
	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/ast/astutil"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/encoding/json"
)

// fillValues makes one value for each fill: a struct that has only the field at its path.
func (s *Session) fillValues(fills []Fill) ([]cue.Value, errors.Error) {
	var values []cue.Value
	var errs errors.Error
	for _, f := range fills {
		value, err := s.fillValue(f)
		if err != nil {
			errs = errors.Append(errs, err)
			continue
		}
		values = append(values, value)
	}
	return values, errs
}

func (s *Session) fillValue(f Fill) (cue.Value, errors.Error) {
	at := token.NewFile(f.Origin, -1, len(f.Path)+1)
	at.SetLinesForContent([]byte(f.Path + "\n"))
	start := at.Pos(0, token.NoRelPos)
	path := cue.ParsePath(f.Path)
	if path.Err() != nil || len(path.Selectors()) == 0 {
		return cue.Value{}, errors.Newf(start, "%q is not a CUE path, e.g. app.name", f.Path)
	}
	expr, err := s.fillExpr(f, path)
	if err != nil {
		return cue.Value{}, err
	}
	selectors := path.Selectors()
	for _, selector := range selectors {
		if selector.LabelType() == cue.IndexLabel && !f.Elements {
			return cue.Value{}, errors.Newf(start, "%s: an element of a list cannot be set from outside, only the whole list", f.Path)
		}
	}
	// Parsed rather than put together, so that every part has the origin as its position.
	file, parseErr := parser.ParseFile(f.Origin, around(selectors, hole))
	if parseErr != nil {
		return cue.Value{}, errors.Newf(start, "%q is not a CUE path, e.g. app.name", f.Path)
	}
	astutil.Apply(file, func(c astutil.Cursor) bool {
		if name, ok := c.Node().(*ast.Ident); ok && name.Name == hole {
			c.Replace(expr)
			return false
		}
		return true
	}, nil)
	value := s.ctx.BuildFile(file, cue.ImportPath(s.importPath))
	if err := value.Err(); err != nil && !value.Exists() {
		return cue.Value{}, errors.Promote(err, f.Path)
	}
	return value, nil
}

// hole stands for the value of a fill until the syntax is there. Names that start with __ are reserved: no label is one.
const hole = "__value"

// around gives the CUE text of a struct that has only a value at a path: `a: b: [_, {c: value}, ...]`.
func around(selectors []cue.Selector, value string) string {
	text := value
	for i := len(selectors) - 1; i >= 0; i-- {
		switch selector := selectors[i]; {
		case selector.LabelType() == cue.IndexLabel:
			text = "[" + strings.Repeat("_, ", selector.Index()) + text + ", ...]"
		case i > 0 && selectors[i-1].LabelType() == cue.IndexLabel:
			text = "{" + selector.String() + ": " + text + "}"
		default:
			text = selector.String() + ": " + text
		}
	}
	return text
}

func (s *Session) fillExpr(f Fill, path cue.Path) (ast.Expr, errors.Error) {
	if f.JSON != nil {
		expr, err := json.Extract(f.Origin, []byte(*f.JSON))
		if err != nil {
			return nil, errors.Promote(err, f.Path)
		}
		return expr, nil
	}
	text := *f.Text
	expr, err := parser.ParseExpr(f.Origin, text)
	if err == nil && isLiteral(expr) && !s.admitsString(path) {
		return expr, nil
	}
	expr, err = parser.ParseExpr(f.Origin, literal.String.Quote(text))
	if err != nil {
		return nil, errors.Promote(err, f.Path)
	}
	return expr, nil
}

// isLiteral reports whether an expression is data: no references, no operators but a sign.
func isLiteral(expr ast.Expr) bool {
	switch x := expr.(type) {
	case *ast.BasicLit:
		return true
	case *ast.UnaryExpr:
		return (x.Op == token.SUB || x.Op == token.ADD) && isLiteral(x.X)
	case *ast.ListLit:
		for _, e := range x.Elts {
			if !isLiteral(e) {
				return false
			}
		}
		return true
	case *ast.StructLit:
		for _, d := range x.Elts {
			field, ok := d.(*ast.Field)
			if !ok || field.Constraint != token.ILLEGAL || !isLiteral(field.Value) {
				return false
			}
			if _, _, err := ast.LabelName(field.Label); err != nil {
				return false
			}
		}
		return true
	}
	return false
}

// admitsString asks the instance without fills whether the field at path may be a string.
func (s *Session) admitsString(path cue.Path) bool {
	if s.bare == nil {
		s.bare = s.main.Evaluate()
	}
	value, ok := declared(s.bare.Value(), path)
	return !ok || value.IncompleteKind()&cue.StringKind != 0
}

// declared follows a path through given, optional and required fields and through pattern constraints.
func declared(value cue.Value, path cue.Path) (cue.Value, bool) {
	for _, selector := range path.Selectors() {
		next := value.LookupPath(cue.MakePath(selector))
		if !next.Exists() && selector.IsString() {
			next = value.LookupPath(cue.MakePath(selector.Optional()))
		}
		if !next.Exists() && selector.IsString() {
			next = value.LookupPath(cue.MakePath(selector.Required()))
		}
		if !next.Exists() && selector.IsString() {
			next = value.LookupPath(cue.MakePath(cue.AnyString))
		}
		if !next.Exists() {
			return next, false
		}
		value = next
	}
	return value, true
}

// checkDeclared finds fills at paths that the files do not declare: a misspelt input must not be ignored silently.
func (s *Session) checkDeclared(root *access.Root, fills []Fill) errors.Error {
	var errs errors.Error
	origins := map[string]bool{}
	for _, f := range fills {
		origins[f.Origin] = true
	}
	for _, f := range fills {
		if !isDeclared(root.Vertex(), cue.ParsePath(f.Path), origins) {
			at := token.NewFile(f.Origin, -1, 1)
			errs = errors.Append(errs, errors.Newf(at.Pos(0, token.NoRelPos), "%s is not declared in the configuration", f.Path))
		}
	}
	return errs
}

// isDeclared reports whether each field of the path has a declaration besides those of the fills, or lies in a value that
// says itself that it takes any field.
func isDeclared(v access.Vertex, path cue.Path, origins map[string]bool) bool {
	for _, selector := range path.Selectors() {
		field, ok := member(v, selector)
		if !ok {
			return false
		}
		written := false
		for _, place := range field.Places() {
			written = written || !origins[place.Pos.Filename()]
		}
		if !written {
			return v.TakesAnyField()
		}
		v = field
	}
	return true
}

// member is the field or the element that a selector names.
func member(v access.Vertex, selector cue.Selector) (access.Vertex, bool) {
	if selector.LabelType() == cue.IndexLabel {
		elements := v.Elements()
		if selector.Index() >= len(elements) {
			return access.Vertex{}, false
		}
		return elements[selector.Index()], true
	}
	return arc(v, selector.String())
}

func arc(v access.Vertex, label string) (access.Vertex, bool) {
	for _, a := range v.Arcs() {
		if a.Label == label {
			return a.Vertex, true
		}
	}
	return access.Vertex{}, false
}
