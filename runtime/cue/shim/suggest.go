// Suggestions: what a person who misspelt a name could have meant.

package main

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/access"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
)

// suggestNames adds to references that lead nowhere the nearest name they could have meant.
func suggestNames(list []Finding, instances map[int]*build.Instance) []Finding {
	for i, f := range list {
		switch {
		case f.format == notFound && len(f.At) > 0:
			list[i].Hint = suggestName(f.arg(0), holding(instances, f.At[0]), f.At[0])
		case f.format == "builtin package %q undefined":
			list[i].Hint = cmp.Or(didYouMean(nearest(f.arg(0), builtinPackages)), f.Hint)
		}
	}
	return list
}

// arg is an argument of CUE's own message, empty when there is none.
func (f Finding) arg(i int) string {
	if i >= len(f.args) {
		return ""
	}
	return fmt.Sprint(f.args[i])
}

// holding gives the package that a place belongs to.
func holding(instances map[int]*build.Instance, at Position) *build.Instance {
	for _, instance := range instances {
		for _, file := range instance.Files {
			if file.Filename == at.File {
				return instance
			}
		}
	}
	return &build.Instance{}
}

// foreign are names that other languages have, and what to write here.
var foreign = map[string]string{
	"nil": "Did you mean null?", "None": "Did you mean null?", "undefined": "Did you mean null?", "NULL": "Did you mean null?",
	"os": environment, "env": environment, "process": environment, "getenv": environment,
	"print": "CUE prints nothing: fields are the result", "console": "CUE prints nothing: fields are the result",
	"str": "Did you mean string?", "boolean": "Did you mean bool?", "integer": "Did you mean int?", "double": "Did you mean float?", "object": "A struct is written {...}",
	"any": "Any value is written _", "array": "A list is written [...]", "this": "A field refers to the fields around it by their names alone",
}

const environment = "A config does not read the environment: declare a field, and pass it with -i name=\"$NAME\""

func suggestName(name string, instance *build.Instance, at Position) string {
	for _, pkg := range builtinPackages {
		if path.Base(pkg) == name {
			return "Add `import " + strconv.Quote(pkg) + "`"
		}
	}
	names := namesAt(instance, at)
	if hint := foreign[name]; hint != "" {
		return hint
	}
	if elsewhere := pathOfLabel(instance, name); elsewhere != "" {
		return didYouMean(elsewhere)
	}
	if near := nearest(name, names); near != "" {
		return didYouMean(near)
	}
	return "Check the spelling; text is written in quotes: " + strconv.Quote(name)
}

// pathOfLabel finds a field of that name inside of the package's structs.
func pathOfLabel(instance *build.Instance, name string) string {
	for _, file := range instance.Files {
		if found := labelBelow(file.Decls, name, "", 0); found != "" {
			return found
		}
	}
	return ""
}

// labelBelow searches the fields of structs; definitions are templates, whose fields nobody can refer to in general.
func labelBelow(decls []ast.Decl, name, path string, depth int) string {
	for _, d := range decls {
		field, ok := d.(*ast.Field)
		if !ok || depth > 6 {
			continue
		}
		label, _, err := ast.LabelName(field.Label)
		if err != nil || strings.HasPrefix(label, "#") {
			continue
		}
		at := strings.TrimPrefix(path+"."+label, ".")
		if label == name && path != "" {
			return at
		}
		if inner, ok := field.Value.(*ast.StructLit); ok {
			if found := labelBelow(inner.Elts, name, at, depth+1); found != "" {
				return found
			}
		}
	}
	return ""
}

// suggestField gives the nearest field that the struct around an unknown one has or may have, or lists them when they are few.
func suggestField(f Finding, root *access.Root) string {
	parent, name := "", f.Path
	if i := strings.LastIndexByte(f.Path, '.'); i >= 0 {
		parent, name = f.Path[:i], f.Path[i+1:]
	}
	around, ok := find(root.Vertex(), parent)
	if !ok {
		return ""
	}
	labels := slices.DeleteFunc(around.Labels(), func(label string) bool { return label == name })
	if near := nearest(name, labels); near != "" {
		return didYouMean(near)
	}
	if f.ofAlternative || len(labels) == 0 || len(labels) > 12 {
		return ""
	}
	return "It may have " + strings.Join(labels, ", ")
}

// suggestSelected gives the nearest field of the struct that a selector looks into.
func (s *Session) suggestSelected(f Finding, root *access.Root) string {
	if len(f.At) == 0 {
		return ""
	}
	of := ""
	for _, file := range s.instance.Files {
		ast.Walk(file, func(n ast.Node) bool {
			if x, ok := n.(*ast.SelectorExpr); ok && position(x.Sel.Pos()) == f.At[0] {
				of = selected(x.X)
			}
			return of == ""
		}, nil)
	}
	// What a reference means is looked for from the place of the value outwards.
	for scope := f.Path; of != ""; scope = parentOf(scope) {
		if v, ok := find(root.Vertex(), strings.TrimPrefix(scope+"."+of, ".")); ok {
			labels := v.Labels()
			if near := didYouMean(nearest(f.arg(0), labels)); near != "" || len(labels) == 0 || len(labels) > 12 {
				return near
			}
			return "It has " + strings.Join(labels, ", ")
		}
		if scope == "" {
			break
		}
	}
	return ""
}

// selected writes `a.b` of an expression that consists of names, else nothing.
func selected(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		if of, label := selected(x.X), selectorName(x.Sel); of != "" && label != "" {
			return of + "." + label
		}
	}
	return ""
}

func selectorName(label ast.Label) string {
	if ident, ok := label.(*ast.Ident); ok {
		return ident.Name
	}
	return ""
}

func parentOf(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}

// explainCall says of a call of something that a builtin package does not have what it does have.
func (s *Session) explainCall(f Finding) Finding {
	if f.format != "cannot call non-function %s (type %s)" || f.arg(1) != "_|_" {
		return f
	}
	pkg, name, _ := strings.Cut(f.arg(0), ".")
	for _, file := range s.instance.Files {
		for spec := range file.ImportSpecs() {
			if importName(spec) != pkg {
				continue
			}
			if labels := access.BuiltinLabels(s.ctx, strings.Trim(spec.Path.Value, `"`)); labels != nil {
				f.Code, f.Message = "cue-reference", "Package "+pkg+" has no "+name
				f.Hint = didYouMean(nearest(name, labels))
				return f
			}
		}
	}
	return f
}
