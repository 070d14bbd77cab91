// Members: what files take from the packages they import must be there. CUE alone takes `op.#Exce` for a value that may still come.

package main

import (
	"cmp"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
)

// unknownMembers lists every `pkg.name` in the user's own files whose package has no such field.
func (l *loader) unknownMembers() []Finding {
	var found []Finding
	for index, p := range l.packages {
		instance := l.done[index]
		if !p.Own || instance == nil {
			continue
		}
		for _, file := range instance.Files {
			ast.Walk(file, func(n ast.Node) bool {
				if selector, ok := n.(*ast.SelectorExpr); ok {
					found = append(found, l.checkMember(p, selector)...)
				}
				return true
			}, nil)
		}
	}
	return found
}

func (l *loader) checkMember(importer Package, selector *ast.SelectorExpr) []Finding {
	pkg, ok := selector.X.(*ast.Ident)
	if !ok {
		return nil
	}
	spec, ok := pkg.Node.(*ast.ImportSpec)
	if !ok {
		return nil
	}
	name, ok := selector.Sel.(*ast.Ident)
	if !ok {
		return nil
	}
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return nil
	}
	index, ok := importer.Imports[path]
	if !ok || l.done[index] == nil {
		return nil
	}
	members, complete := membersOf(l.done[index])
	if !complete || members[name.Name] {
		return nil
	}
	var names []string
	for member := range members {
		names = append(names, member)
	}
	message := "Package " + pkg.Name + " has no " + name.Name
	hint := cmp.Or(didYouMean(nearest(name.Name, names)), "See what it has with `dagger doc "+path+"`")
	if strings.HasPrefix(name.Name, "_") {
		hint = "What begins with _ belongs to the package alone: other packages cannot use it"
	}
	return []Finding{{Code: "cue-reference", Message: message, At: []Position{position(name.Pos())}, Hint: hint}}
}

// membersOf lists the fields of a package. It is not complete when some come from conditions, loops, patterns or embedded values.
func membersOf(instance *build.Instance) (members map[string]bool, complete bool) {
	members = map[string]bool{}
	for _, file := range instance.Files {
		for _, d := range file.Decls {
			switch x := d.(type) {
			case *ast.Field:
				name, _, err := ast.LabelName(x.Label)
				if err != nil {
					return nil, false
				}
				members[name] = true
			case *ast.Comprehension, *ast.EmbedDecl, *ast.Ellipsis:
				return nil, false
			}
		}
	}
	return members, true
}
