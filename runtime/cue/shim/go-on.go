// Going on: a config with references to nothing is evaluated all the same, with "any value" in their places, to find what else is wrong.

package main

import (
	"slices"

	"cuelang.org/go/access"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/ast/astutil"
	"cuelang.org/go/cue/token"
)

// goOn evaluates the instance without its broken references. wrong is what is known already; the instance is of no use afterwards.
func (s *Session) goOn(r Request, wrong []Finding) []byte {
	broken := map[Position]bool{}
	for _, f := range wrong {
		for _, at := range f.At {
			broken[at] = true
		}
	}
	for _, file := range s.instance.Files {
		forget(file, broken)
	}
	main, ok := access.CompileAgain(s.ctx, s.instance)
	if !ok {
		return encode(Answer{Findings: wrong})
	}
	s.main = main
	defer func() { s.main = nil }()
	values, err := s.fillValues(r.Fills)
	if err != nil {
		return encode(Answer{Findings: append(wrong, findings(err, "cue-fill", s.own)...)})
	}
	root := main.Evaluate(values...)
	if err := root.Value().Validate(); err != nil {
		wrong = append(wrong, without(broken, s.explain(findings(err, "cue-value", s.own), root))...)
	}
	return s.exportWrong(root, wrong, true)
}

// forget puts `_` where an expression at a broken place stands, or one that selects from a broken import.
func forget(file *ast.File, broken map[Position]bool) {
	astutil.Apply(file, func(c astutil.Cursor) bool {
		x, isExpr := c.Node().(ast.Expr)
		if !isExpr || !isBroken(x, broken) {
			return true
		}
		if _, isField := c.Parent().Node().(*ast.Field); isField && c.Parent().Node().(*ast.Field).Label == c.Node() {
			return true
		}
		c.Replace(ast.NewIdent("_"))
		return false
	}, nil)
}

// isBroken tells whether nothing can be said about an expression: it stands at a broken place, or is computed from such a one.
func isBroken(x ast.Expr, broken map[Position]bool) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return broken[position(x.Pos())] || isBrokenImport(x, broken)
	case *ast.SelectorExpr:
		return broken[position(x.Sel.Pos())] || isBroken(x.X, broken)
	case *ast.CallExpr:
		return isBroken(x.Fun, broken) || slices.ContainsFunc(x.Args, func(arg ast.Expr) bool { return isBroken(arg, broken) })
	case *ast.IndexExpr:
		return isBroken(x.X, broken) || isBroken(x.Index, broken)
	case *ast.SliceExpr:
		return isBroken(x.X, broken)
	case *ast.ParenExpr:
		return isBroken(x.X, broken)
	case *ast.UnaryExpr:
		return isBroken(x.X, broken)
	case *ast.BinaryExpr:
		return x.Op != token.AND && x.Op != token.OR && (isBroken(x.X, broken) || isBroken(x.Y, broken))
	}
	return false
}

func isBrokenImport(name *ast.Ident, broken map[Position]bool) bool {
	spec, ok := name.Node.(*ast.ImportSpec)
	return ok && (broken[position(spec.Pos())] || broken[position(spec.Path.Pos())])
}

// without leaves out findings about broken places.
func without(broken map[Position]bool, list []Finding) []Finding {
	return slices.DeleteFunc(list, func(f Finding) bool {
		return slices.ContainsFunc(f.At, func(at Position) bool { return broken[at] })
	})
}

// withoutRepeats leaves out what is the same mistake at the same places, seen through another reference: the shortest path stays.
// A name that there is not is told once, with all places where it is used.
func withoutRepeats(list []Finding) []Finding {
	var out []Finding
	for _, f := range list {
		same := slices.IndexFunc(out, func(other Finding) bool { return repeats(f, other) })
		switch {
		case same < 0:
			out = append(out, f)
		case f.format == notFound:
			for _, at := range f.At {
				if !slices.Contains(out[same].At, at) {
					out[same].At = append(out[same].At, at)
				}
			}
		case len(f.Path) < len(out[same].Path), f.Path == out[same].Path && len(f.At) < len(out[same].At):
			out[same] = f
		}
	}
	return out
}

const notFound = "reference %q not found"

func repeats(f, other Finding) bool {
	if f.Code != other.Code {
		return false
	}
	if f.format == notFound {
		return other.format == notFound && f.Message == other.Message && f.Hint == other.Hint
	}
	return len(f.At) > 0 && slices.Equal(other.At, f.At) || f.Path == other.Path && f.Message == other.Message
}

// exportWrong exports values that are wrong, for what else may be found in them; findings alone where that fails.
func (s *Session) exportWrong(root *access.Root, list []Finding, guessed bool) (answer []byte) {
	defer func() {
		if p := recover(); p != nil {
			answer = encode(Answer{Findings: list})
		}
	}()
	return withFindings(s.export(root), list, guessed)
}

// withFindings adds findings to an exported value. guessed: parts of it stand for what nobody knows.
func withFindings(exported []byte, list []Finding, guessed bool) []byte {
	out := append(exported[:len(exported)-1], `,"findings":`...)
	out = append(out, encodeFindings(list)...)
	if guessed {
		out = append(out, `,"guessed":true`...)
	}
	return append(out, '}')
}
