// Tags: values that come from the command line into fields with @tag(NAME), as `cue` takes them with -t.

package main

import (
	"slices"
	"strings"

	"cuelang.org/go/access"
	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
)

// tag is one @tag attribute.
type tag struct {
	name     string
	kind     cue.Kind
	short    []string
	variable string
	field    *ast.Field
	pos      token.Pos
	set      bool
}

var tagKinds = map[string]cue.Kind{"": cue.StringKind, "string": cue.StringKind, "int": cue.IntKind, "number": cue.NumberKind, "bool": cue.BoolKind}

// injectTags unifies the fields of an instance with what the user gave for their tags.
func injectTags(instance *build.Instance, r Request) error {
	tags, err := findTags(instance.Files)
	if err != nil {
		return err
	}
	in := injection{tags: tags, replaced: map[ast.Node]ast.Node{}}
	for _, given := range r.Tags {
		in.give(given, r.KnownTags)
	}
	if r.Vars != nil {
		in.vars(r.Vars)
	}
	if in.errs != nil {
		return in.errs
	}
	if len(in.replaced) > 0 {
		in.redirect(instance.Files)
	}
	return nil
}

type injection struct {
	tags []*tag
	// replaced maps values of fields to what stands there now: references point at the old ones.
	replaced map[ast.Node]ast.Node
	errs     errors.Error
}

func (in *injection) fail(err errors.Error) { in.errs = errors.Append(in.errs, err) }

func (in *injection) give(given string, known []string) {
	name, text, hasValue := strings.Cut(given, "=")
	used := slices.Contains(known, given)
	for _, t := range in.tags {
		if hasValue && t.name == name {
			used = true
			in.set(t, text)
		}
		if !hasValue && slices.Contains(t.short, given) {
			used = true
			in.set(t, given)
		}
	}
	switch {
	case used:
	case hasValue:
		in.fail(errors.Newf(token.NoPos, "No field has the tag %q: there is no @tag(%[1]s)", name))
	default:
		in.fail(errors.Newf(token.NoPos, "No file asks for the tag %q, neither by @if nor by @tag(…, short=%[1]s)", given))
	}
}

func (in *injection) set(t *tag, text string) {
	value, err := access.TagValue(t.pos, t.name, text, t.kind)
	if err != nil {
		in.fail(err)
		return
	}
	in.unify(t, value)
}

func (in *injection) unify(t *tag, value ast.Expr) {
	both := ast.NewBinExpr(token.AND, t.field.Value, value)
	in.replaced[t.field.Value] = both
	t.field.Value = both
	t.set = true
}

func (in *injection) vars(values map[string]Var) {
	for _, t := range in.tags {
		if t.set || t.variable == "" {
			continue
		}
		value, ok := values[t.variable]
		switch {
		case !ok:
			in.fail(errors.Newf(t.pos, "There is no variable %q for tags", t.variable))
		case value.Kind == "int":
			in.unify(t, ast.NewLit(token.INT, value.Text))
		default:
			in.unify(t, ast.NewString(value.Text))
		}
	}
}

func (in *injection) redirect(files []*ast.File) {
	for _, f := range files {
		ast.Walk(f, nil, func(n ast.Node) {
			ident, ok := n.(*ast.Ident)
			if !ok {
				return
			}
			for {
				now, moved := in.replaced[ident.Node]
				if !moved {
					break
				}
				ident.Node = now
			}
		})
	}
}

// findTags lists the @tag attributes of files, and what is wrong with them.
func findTags(files []*ast.File) ([]*tag, errors.Error) {
	f := tagFinder{}
	for _, file := range files {
		ast.Walk(file, f.visit, nil)
	}
	return f.tags, f.errs
}

// tagVars lists the variables that the tags of a file name.
func tagVars(file *ast.File) []string {
	tags, _ := findTags([]*ast.File{file})
	vars := []string{}
	for _, t := range tags {
		if t.variable != "" && !slices.Contains(vars, t.variable) {
			vars = append(vars, t.variable)
		}
	}
	return vars
}

type tagFinder struct {
	tags []*tag
	errs errors.Error
}

func (f *tagFinder) visit(n ast.Node) bool {
	switch x := n.(type) {
	case *ast.ListLit:
		f.forbid(n, "lists")
		return false
	case *ast.Comprehension:
		f.forbid(n, "comprehensions")
		return false
	case *ast.Field:
		if _, _, err := ast.LabelName(x.Label); err != nil || x.Constraint != token.ILLEGAL {
			f.forbid(n, "constraints of fields")
			return false
		}
		for _, a := range x.Attrs {
			if a.Name() == "tag" {
				f.read(x, a)
			}
		}
	}
	return true
}

func (f *tagFinder) forbid(in ast.Node, what string) {
	ast.Walk(in, nil, func(n ast.Node) {
		field, ok := n.(*ast.Field)
		if !ok {
			return
		}
		for _, a := range field.Attrs {
			if a.Name() == "tag" {
				f.errs = errors.Append(f.errs, errors.Newf(a.Pos(), "@tag cannot stand within %s", what))
			}
		}
	})
}

func (f *tagFinder) read(field *ast.Field, attribute *ast.Attribute) {
	a, _ := access.ParseAttribute(attribute)
	t := &tag{name: a.First(), field: field, pos: a.Pos}
	kind, _ := a.Lookup(1, "type")
	var known bool
	t.kind, known = tagKinds[kind]
	switch {
	case !ast.IsValidIdent(t.name):
		f.errs = errors.Append(f.errs, errors.Newf(a.Pos, "The name of a tag is a CUE name, not %q", t.name))
		return
	case !known:
		f.errs = errors.Append(f.errs, errors.Newf(a.Pos, "A tag has the type string, int, number or bool, not %q", kind))
		return
	}
	if short, ok := a.Lookup(1, "short"); ok {
		t.short = strings.Split(short, "|")
	}
	t.variable, _ = a.Lookup(1, "var")
	f.tags = append(f.tags, t)
}

// tagHint lists the tags that there are.
func tagHint(instance *build.Instance) string {
	tags, _ := findTags(instance.Files)
	var names []string
	for _, t := range tags {
		for _, name := range append([]string{t.name + "=VALUE"}, t.short...) {
			if !slices.Contains(names, name) && name != "=VALUE" {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return "Give a field an attribute such as @tag(env), then set it with --inject env=VALUE"
	}
	return "The tags of this package are " + strings.Join(names, ", ") + "; write them as @tag(NAME) or @tag(NAME, type=int), right behind a plain field"
}
