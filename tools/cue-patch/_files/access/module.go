// Module files: cue.mod/module.cue and cue.mod/local-module.cue, read and checked as CUE does. CUE's own reader evaluates a schema,
// and links a context with every encoding for it (14 MB).

package access

import (
	"fmt"
	"maps"
	"slices"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/internal/cueversion"
	"cuelang.org/go/internal/mod/modfiledata"
	"cuelang.org/go/internal/mod/semver"
	"cuelang.org/go/mod/module"
)

// ModuleFile is what a module says of itself.
type ModuleFile struct {
	// Module is the path with the major version; empty when the file names none.
	Module string `json:"module"`
	// Language is the version of CUE; empty when the file names none, as those of old CUE do.
	Language string `json:"language"`
	// Deps by module path with the major version.
	Deps map[string]ModuleDep `json:"deps"`
	// Defaults are the major versions of module paths that imports leave open.
	Defaults map[string]string `json:"defaults"`
}

// ModuleDep is a module that a module depends on.
type ModuleDep struct {
	Version     string   `json:"version"`
	Default     bool     `json:"default"`
	ReplaceWith string   `json:"replaceWith"`
	At          Position `json:"at"`
}

// Position is a place in a file.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// The first versions of CUE that know module files with a fixed set of fields, `source`, `replaceWith`.
const (
	firstModules = "v0.8.0-alpha.0"
	firstSource  = "v0.9.0-alpha.0"
	firstReplace = "v0.17.0"
)

// ReadModule reads cue.mod/module.cue.
func ReadModule(file *ast.File) (*ModuleFile, errors.Error) {
	r := reader{}
	top := r.top(file)
	base := r.file(top, "")
	for _, dep := range base.Deps {
		if dep.ReplaceWith != "" {
			r.fail(dep.pos, "ReplaceWith belongs into cue.mod/local-module.cue, so that it is never published")
		}
	}
	data := base.data()
	r.check(&data, top)
	return base.result(&data), r.errs
}

// ReadLocalModule reads cue.mod/local-module.cue: the dependencies as they are on this machine. What it leaves out is as in module.cue.
func ReadLocalModule(local, main *ast.File) (*ModuleFile, errors.Error) {
	r := reader{}
	base := r.file(r.top(main), "")
	top := r.top(local)
	own := r.file(top, base.Language)
	if own.Module != "" && qualified(own.Module) != qualified(base.Module) {
		r.fail(top.at("module"), "the module path %q is not that of module.cue, %q", own.Module, base.Module)
	}
	for path, dep := range own.Deps {
		shared, ok := base.Deps[path]
		dep.Default = dep.Default || ok && shared.Default
		if dep.Version == "" && ok {
			dep.Version = shared.Version
		} else if dep.Version == "" && dep.ReplaceWith == "" {
			r.fail(dep.pos, "Dependency %q has no version here, and none in module.cue", path)
		}
		own.Deps[path] = dep
	}
	own.Module, own.Language = base.Module, base.Language
	data := own.data()
	r.check(&data, top)
	return own.result(&data), r.errs
}

func qualified(path string) string {
	f := modfiledata.File{Module: path}
	return f.QualifiedModule()
}

// reader collects what is wrong.
type reader struct{ errs errors.Error }

func (r *reader) fail(at token.Pos, format string, args ...any) {
	r.errs = errors.Append(r.errs, errors.Newf(at, format, args...))
}

// fields is a struct of plain data with the places of its fields.
type fields struct {
	pos    token.Pos
	values map[string]ast.Expr
	places map[string]token.Pos
}

func (f fields) at(name string) token.Pos {
	if pos, ok := f.places[name]; ok {
		return pos
	}
	return f.pos
}

func (r *reader) top(file *ast.File) fields {
	return r.fields(file.Pos(), file.Decls)
}

// fields takes a struct apart. Module files are data: literals, structs and lists only.
func (r *reader) fields(pos token.Pos, decls []ast.Decl) fields {
	out := fields{pos, map[string]ast.Expr{}, map[string]token.Pos{}}
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.Field:
			name, _, err := ast.LabelName(d.Label)
			if err != nil || d.Constraint != token.ILLEGAL {
				r.fail(d.Pos(), "A module file takes plain fields only")
				continue
			}
			r.add(&out, name, d)
		case *ast.CommentGroup:
		case *ast.EmbedDecl:
			if s, ok := d.Expr.(*ast.StructLit); ok {
				for name, value := range r.fields(s.Pos(), s.Elts).values {
					out.values[name], out.places[name] = value, value.Pos()
				}
				continue
			}
			r.fail(d.Pos(), "A module file is data: it takes plain fields only")
		default:
			r.fail(d.Pos(), "A module file is data: no package clause, imports, references, comprehensions or attributes")
		}
	}
	return out
}

func (r *reader) add(to *fields, name string, d *ast.Field) {
	r.data(d.Value)
	before, twice := to.values[name]
	if !twice {
		to.values[name], to.places[name] = d.Value, d.Pos()
		return
	}
	a, aStruct := before.(*ast.StructLit)
	b, bStruct := d.Value.(*ast.StructLit)
	switch {
	case aStruct && bStruct:
		to.values[name] = &ast.StructLit{Lbrace: a.Lbrace, Elts: slices.Concat(a.Elts, b.Elts)}
	case text(before) != text(d.Value):
		r.fail(d.Pos(), "%s has another value before", name)
	}
}

// data reports what is no plain data.
func (r *reader) data(x ast.Expr) {
	switch x := x.(type) {
	case *ast.BasicLit:
	case *ast.StructLit:
		for _, value := range r.fields(x.Pos(), x.Elts).values {
			r.data(value)
		}
	case *ast.ListLit:
		for _, e := range x.Elts {
			r.data(e)
		}
	case *ast.UnaryExpr:
		r.data(x.X)
	default:
		r.fail(x.Pos(), "A module file is data: it takes literals only")
	}
}

func text(x ast.Expr) string {
	if b, ok := x.(*ast.BasicLit); ok {
		return b.Value
	}
	return fmt.Sprintf("%p", x)
}

// moduleFile is a module file as written.
type moduleFile struct {
	Module, Language string
	Deps             map[string]moduleDep
}

type moduleDep struct {
	ModuleDep
	pos token.Pos
}

func (r *reader) file(top fields, inherited string) moduleFile {
	f := moduleFile{Deps: map[string]moduleDep{}}
	language := r.sub(top, "language")
	f.Language = r.str(language, "version")
	version := f.Language
	if version == "" {
		version = inherited
	}
	f.Module = r.str(top, "module")
	if version == "" {
		// Module files from before CUE had versions: only the path counts.
		return f
	}
	if !r.version(version, language.at("version")) {
		return f
	}
	r.only(language, "version")
	r.only(top, "module", "language", "source", "description", "deps", "custom")
	r.str(top, "description")
	r.source(top, version)
	for path, x := range r.sub(top, "deps").values {
		f.Deps[path] = r.dep(path, x, version)
	}
	for _, x := range r.sub(top, "custom").values {
		if _, ok := x.(*ast.StructLit); !ok {
			r.fail(x.Pos(), "Custom holds structs by the name of a tool")
		}
	}
	return f
}

func (r *reader) version(version string, at token.Pos) bool {
	switch newest := cueversion.LanguageVersion(); {
	case !semver.IsValid(version):
		r.fail(at, "Language version %q is not a version such as %q", version, newest)
	case semver.Compare(version, newest) > 0:
		r.fail(at, "Language version %s is newer than the CUE in this program, %s", version, newest)
	case semver.Compare(version, firstModules) < 0:
		r.fail(at, "Language version %s is older than CUE's first module files, %s", version, firstModules)
	default:
		return true
	}
	return false
}

func (r *reader) source(top fields, version string) {
	if top.values["source"] == nil {
		return
	}
	if semver.Compare(version, firstSource) < 0 {
		r.fail(top.at("source"), "source needs language version %s or newer", firstSource)
	}
	source := r.sub(top, "source")
	r.only(source, "kind")
	if kind := r.str(source, "kind"); kind != "self" && kind != "git" {
		r.fail(source.at("kind"), `source.kind is "self" or "git"`)
	}
}

func (r *reader) dep(path string, x ast.Expr, version string) moduleDep {
	s, ok := x.(*ast.StructLit)
	if !ok {
		r.fail(x.Pos(), "A dependency is written as {v: VERSION}")
		return moduleDep{pos: x.Pos()}
	}
	f := r.fields(s.Pos(), s.Elts)
	p := f.at("v").Position()
	d := moduleDep{pos: f.at("v"), ModuleDep: ModuleDep{At: Position{p.Filename, p.Line, p.Column}}}
	r.only(f, "v", "default", "replaceWith")
	if !isNull(f.values["v"]) {
		d.Version = r.str(f, "v")
	}
	d.Default = r.bool(f, "default")
	d.ReplaceWith = r.str(f, "replaceWith")
	old := semver.Compare(version, firstReplace) < 0
	switch {
	case old && f.values["replaceWith"] != nil:
		r.fail(f.at("replaceWith"), "replaceWith needs language version %s or newer", firstReplace)
	case old && d.Version == "":
		r.fail(f.pos, "Dependency %q has no version: add v", path)
	}
	return d
}

func isNull(x ast.Expr) bool {
	b, ok := x.(*ast.BasicLit)
	return ok && b.Kind == token.NULL
}

func (r *reader) only(f fields, names ...string) {
	for _, name := range slices.Sorted(maps.Keys(f.values)) {
		if !slices.Contains(names, name) {
			r.fail(f.at(name), "Module files have no field %s", name)
		}
	}
}

func (r *reader) sub(f fields, name string) fields {
	switch x := f.values[name].(type) {
	case nil:
		return fields{pos: f.pos}
	case *ast.StructLit:
		return r.fields(f.at(name), x.Elts)
	default:
		r.fail(f.at(name), "%s must be a struct", name)
		return fields{pos: f.at(name)}
	}
}

func (r *reader) str(f fields, name string) string {
	x := f.values[name]
	if x == nil {
		return ""
	}
	switch x := x.(type) {
	case *ast.BasicLit:
		if s, err := literal.Unquote(x.Value); err == nil && x.Kind == token.STRING {
			return s
		}
	case *ast.StructLit, *ast.ListLit:
	default:
		// No data at all: that is told already.
		return ""
	}
	r.fail(f.at(name), "%s must be a string", name)
	return ""
}

func (r *reader) bool(f fields, name string) bool {
	b, ok := f.values[name].(*ast.BasicLit)
	if f.values[name] != nil && (!ok || b.Kind != token.TRUE && b.Kind != token.FALSE) {
		r.fail(f.at(name), "%s must be true or false", name)
	}
	return ok && b.Kind == token.TRUE
}

func (f moduleFile) data() modfiledata.File {
	data := modfiledata.File{Module: f.Module, Deps: map[string]*modfiledata.Dep{}}
	if f.Language != "" {
		data.Language = &modfiledata.Language{Version: f.Language}
	}
	for path, d := range f.Deps {
		data.Deps[path] = &modfiledata.Dep{Version: d.Version, Default: d.Default, ReplaceWith: d.ReplaceWith}
	}
	return data
}

// check lets CUE check the paths and versions.
func (r *reader) check(data *modfiledata.File, top fields) {
	if r.errs != nil || data.Module == "" {
		return
	}
	if data.Language == nil {
		// A file of old CUE: its path may be any.
		return
	}
	if err := data.InitNonStrict(); err != nil {
		r.fail(top.at("module"), "%v", err)
	}
}

func (f moduleFile) result(data *modfiledata.File) *ModuleFile {
	out := &ModuleFile{Module: data.QualifiedModule(), Language: f.Language, Deps: map[string]ModuleDep{}, Defaults: data.DefaultMajorVersions()}
	for path, d := range f.Deps {
		if v, err := module.NewVersion(path, d.Version); err == nil {
			path = v.Path()
			d.Version = v.Version()
		}
		out.Deps[path] = d.ModuleDep
	}
	return out
}
