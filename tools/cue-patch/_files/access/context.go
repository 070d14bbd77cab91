// Package access is added to CUE by cue-patch: the few looks below CUE's public API that exporting a value needs.
// It knows vertices, labels and conjuncts, and nothing of what the values mean.
package access

import (
	"cuelang.org/go/cue"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/internal/core/adt"
	"cuelang.org/go/internal/core/compile"
	"cuelang.org/go/internal/core/eval"
	"cuelang.org/go/internal/core/runtime"
	"cuelang.org/go/internal/value"
)

// NewContext makes a context as cuecontext.New does, without the encodings (protobuf, OpenAPI, JSON schema) that
// package links in: they would double the size of the program. Builtin packages are those the program imports.
//
// beside gives the files that a CUE file, by the name that positions show, may embed.
func NewContext(beside func(file string) Directory) *cue.Context {
	r := runtime.New()
	r.AddInjection(embedder{beside})
	return (*cue.Context)(r)
}

// ShareBelow names definitions (`#up`) below which a reference to an open value is shared although the definition is closed.
func ShareBelow(labels []string) {
	for _, label := range labels {
		adt.ShareBelow[label] = true
	}
}

// OnTick names a function that is called now and then while something is evaluated.
func OnTick(tick func()) {
	adt.Tick = tick
}

// BuiltinLabels lists what a builtin package has; nil when there is no such package.
func BuiltinLabels(ctx *cue.Context, importPath string) []string {
	r := (*runtime.Runtime)(ctx)
	pkg := r.LoadBuiltin(importPath)
	if pkg == nil {
		return nil
	}
	pkg.Finalize(eval.NewContext(r, nil))
	var labels []string
	for _, a := range pkg.Arcs {
		labels = append(labels, a.Label.SelectorString(r))
	}
	return labels
}

// Root is the evaluated value of one instance.
type Root struct {
	ctx     *adt.OpContext
	runtime *runtime.Runtime
	vertex  *adt.Vertex
}

// Compile compiles an instance and all it imports, without evaluating anything.
func Compile(ctx *cue.Context, instance *build.Instance) (*Package, error) {
	r := (*runtime.Runtime)(ctx)
	v, err := r.Build(nil, instance)
	if err != nil {
		return nil, err
	}
	return &Package{runtime: r, vertex: v}, nil
}

// Package is a compiled instance; it can be evaluated many times, each time together with other values.
type Package struct {
	runtime *runtime.Runtime
	vertex  *adt.Vertex
}

// Evaluate unifies the package with more values and evaluates the result once.
func (p *Package) Evaluate(more ...cue.Value) *Root {
	ctx := eval.NewContext(p.runtime, nil)
	evaluating = ctx
	v := &adt.Vertex{}
	for c := range p.vertex.LeafConjuncts() {
		v.AddConjunct(c)
	}
	for _, m := range more {
		for c := range value.Vertex(m).LeafConjuncts() {
			v.AddConjunct(c)
		}
	}
	v.Finalize(ctx)
	return &Root{ctx: ctx, runtime: p.runtime, vertex: v}
}

// Value gives the public view of the root.
func (r *Root) Value() cue.Value {
	return (*cue.Context)(r.runtime).Encode(r.vertex)
}

// ValueIn gives the public view of the root as that of an instance: printed, it has the hidden fields of this package.
func (r *Root) ValueIn(instance *build.Instance) cue.Value {
	r.runtime.AddInst(r.vertex, instance)
	return r.Value()
}

// Vertex gives the root as a vertex.
func (r *Root) Vertex() Vertex {
	return Vertex{root: r, use: r.vertex}
}

// CompileAgain compiles an instance whose syntax was changed after Compile refused it. It is not ok when that is not possible either.
func CompileAgain(ctx *cue.Context, instance *build.Instance) (p *Package, ok bool) {
	r := (*runtime.Runtime)(ctx)
	// What is still wrong was told by Compile.
	v, _ := compile.Instance(nil, r, instance)
	if v == nil {
		return nil, false
	}
	return &Package{runtime: r, vertex: v}, true
}

// evaluating is the context of the last evaluation.
var evaluating *adt.OpContext

// Evaluating is the place that the last evaluation has looked at last: when it panicked, that is where.
func Evaluating() token.Pos {
	if evaluating == nil || evaluating.Source() == nil {
		return token.NoPos
	}
	return evaluating.Source().Pos()
}
