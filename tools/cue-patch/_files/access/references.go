// References: what the expressions of a value refer to.

package access

import (
	"strings"

	"cuelang.org/go/internal/core/adt"
	"cuelang.org/go/internal/core/dep"
	"cuelang.org/go/internal/core/walk"
)

// References lists the values that the value's own expressions refer to (not those of its fields): operands, conditions and
// sources of comprehensions, embedded values, computed labels.
func (v Vertex) References() []Vertex {
	// dep.Visit takes references inside a struct literal to fields of the same literal for internal and leaves them out.
	// Here they count (`if name != ""` waits for the field beside it), so the expressions are handed over one by one.
	expressions := &adt.Vertex{Parent: v.use.Parent, Label: v.use.Label}
	for c := range v.use.LeafConjuncts() {
		own := &adt.Environment{Up: c.Env, Vertex: v.use.DerefValue()}
		switch x := c.Elem().(type) {
		case *adt.StructLit:
			for _, d := range x.Decls {
				addDecl(expressions, own, d)
			}
		case *adt.ListLit:
			for _, e := range x.Elems {
				if y, ok := e.(*adt.Comprehension); ok {
					addClauses(expressions, own, y)
				}
			}
		default:
			expressions.Conjuncts = append(expressions.Conjuncts, c)
		}
	}
	var found []Vertex
	_ = dep.Visit(nil, v.root.ctx, expressions, func(d dep.Dependency) error {
		if pkg := d.Import(); pkg == nil || !isBuiltin(v.root, pkg) {
			found = append(found, Vertex{v.root, d.Node})
		}
		return nil
	})
	for _, c := range expressions.Conjuncts {
		found = append(found, demanded(v.root, c)...)
	}
	return found
}

// demanded lists the fields that an expression refers to and that are only demanded (`x!: string`), not given: CUE takes
// such a reference for an error, so that dep.Visit does not come as far as the field.
func demanded(root *Root, c adt.Conjunct) []Vertex {
	var found []Vertex
	visitor := walk.Visitor{Before: func(n adt.Node) bool {
		switch x := n.(type) {
		case *adt.StructLit, *adt.ListLit, *adt.Comprehension:
			return false // scopes of their own
		case *adt.FieldReference, *adt.SelectorExpr:
			target := follow(c.Env, x.(adt.Expr))
			if target != nil && target.ArcType == adt.ArcRequired {
				found = append(found, Vertex{root, target})
			}
		}
		return true
	}}
	visitor.Elem(c.Elem())
	return found
}

func addDecl(to *adt.Vertex, env *adt.Environment, d adt.Decl) {
	switch x := d.(type) {
	case *adt.Comprehension:
		addClauses(to, env, x)
	case *adt.DynamicField:
		add(to, env, x.Key)
	case adt.Expr:
		add(to, env, x)
	}
}

// addClauses adds what the clauses of a comprehension, and of comprehensions inside it, look at.
func addClauses(to *adt.Vertex, env *adt.Environment, c *adt.Comprehension) {
	inner := func(up *adt.Environment) *adt.Environment {
		nothing := &adt.Vertex{}
		nothing.ForceDone()
		return &adt.Environment{Up: up, Vertex: nothing}
	}
	for _, clause := range c.Clauses {
		switch x := clause.(type) {
		case *adt.IfClause:
			add(to, env, x.Condition)
		case *adt.ForClause:
			add(to, env, x.Src)
			env = inner(env)
		case *adt.LetClause:
			add(to, env, x.Expr)
			env = inner(env)
		case *adt.ValueClause:
			env = inner(env)
		}
	}
	if s, ok := adt.ToExpr(c.Value).(*adt.StructLit); ok {
		for _, d := range s.Decls {
			addDecl(to, inner(env), d)
		}
	}
}

func add(to *adt.Vertex, env *adt.Environment, x adt.Expr) {
	to.Conjuncts = append(to.Conjuncts, adt.MakeRootConjunct(env, x))
}

// isBuiltin: packages of CUE itself have no dot in the first element of their path.
func isBuiltin(root *Root, pkg *adt.ImportReference) bool {
	first, _, _ := strings.Cut(pkg.ImportPath.StringValue(root.ctx), "/")
	return !strings.Contains(first, ".")
}

// Targets lists what the value itself is a plain reference to. Unlike References it works for values that CUE has given up
// on, as those in a cycle: it follows labels and evaluates nothing.
func (v Vertex) Targets() []Vertex {
	var found []Vertex
	for c := range v.use.LeafConjuncts() {
		env, x := c.EnvExpr()
		if target := follow(env, x); target != nil {
			found = append(found, Vertex{v.root, target})
		}
	}
	return found
}

func follow(env *adt.Environment, x adt.Expr) *adt.Vertex {
	switch x := x.(type) {
	case *adt.FieldReference:
		for i := int32(0); i < x.UpCount && env != nil; i++ {
			env = env.Up
		}
		if env == nil || env.Vertex == nil {
			return nil
		}
		return env.Vertex.LookupRaw(x.Label)
	case *adt.SelectorExpr:
		if of := follow(env, x.X); of != nil {
			return of.DerefValue().LookupRaw(x.Sel)
		}
	}
	return nil
}
