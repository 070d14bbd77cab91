// Embedding: what @embed puts into a field. CUE's own injection links every encoding that CUE knows, 12 MB of it; this one
// has those that a config embeds, and reads from the files that the host hands over.

package access

import (
	"io"
	"path"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/encoding/json"
	"cuelang.org/go/encoding/jsonschema"
	"cuelang.org/go/encoding/openapi"
	"cuelang.org/go/encoding/toml"
	"cuelang.org/go/encoding/xml/koala"
	"cuelang.org/go/internal"
	"cuelang.org/go/internal/core/adt"
	"cuelang.org/go/internal/core/runtime"
	"cuelang.org/go/internal/encoding/yaml"
	"cuelang.org/go/internal/filetypes"
	"cuelang.org/go/internal/value"
	pkgpath "cuelang.org/go/pkg/path"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const embedKind = "embed"

// Directory holds the files that one CUE file may embed, by their path relative to it, with slashes.
type Directory interface {
	// Files lists them, sorted.
	Files() []string
	// Read gives a file and the name that positions in it show. False when there is none.
	Read(path string) (data []byte, shown string, ok bool)
	// Kind: "file", "directory", "none", or "elsewhere" for what lies in another module.
	Kind(path string) string
}

// embedder is CUE's injection for @extern(embed).
type embedder struct {
	beside func(file string) Directory
}

func (e embedder) Kind() string { return embedKind }

func (e embedder) InjectorForInstance(b *build.Instance, r *runtime.Runtime) (runtime.Injector, errors.Error) {
	if b.Module == "" {
		return nil, errors.Newf(externPos(b), "cannot embed files when not in a module")
	}
	return injector{e.beside, (*cue.Context)(r)}, nil
}

// externPos is the place of the first @extern(embed) of an instance.
func externPos(b *build.Instance) token.Pos {
	for _, f := range b.Files {
		for _, d := range f.Decls {
			if a, ok := d.(*ast.Attribute); ok && a.Name() == "extern" {
				return a.Pos()
			}
		}
	}
	return token.NoPos
}

type injector struct {
	beside func(file string) Directory
	ctx    *cue.Context
}

func (i injector) InjectedValue(attr *runtime.ExternAttr, _ *adt.Vertex) (adt.Expr, errors.Error) {
	a := Attribute{attr.Attr.Pos, attr.Attr}
	wanted, err := a.Embedded()
	if err != nil {
		return nil, err
	}
	dir := i.beside(a.Pos.Filename())
	if wanted.Glob == "" {
		return i.file(dir, wanted.File, wanted.Type, a.Pos)
	}
	return i.glob(dir, wanted, a.Pos)
}

// Embedded is what an @embed attribute asks for: one file or all that match a pattern.
type Embedded struct {
	File, Glob, Type string
	MayBeEmpty       bool
}

// Embedded checks the arguments of an @embed attribute, without looking at any file.
func (a Attribute) Embedded() (e Embedded, err errors.Error) {
	fail := func(format string, args ...any) (Embedded, errors.Error) {
		return Embedded{}, errors.Newf(a.Pos, format, args...)
	}
	e.File, _ = a.Lookup(0, "file")
	e.Glob, _ = a.Lookup(0, "glob")
	e.Type, _ = a.Lookup(0, "type")
	e.MayBeEmpty = a.Flag("allowEmptyGlob")
	switch {
	case e.File == "" && e.Glob == "":
		return fail("Needs file=PATH or glob=PATTERN")
	case e.File != "" && e.Glob != "":
		return fail("Takes file=PATH or glob=PATTERN, not both")
	case e.MayBeEmpty && e.Glob == "":
		return fail("AllowEmptyGlob goes with glob=PATTERN only")
	}
	for _, p := range []string{e.File, e.Glob} {
		switch clean := path.Clean(p); {
		case p == "":
		case clean != p:
			return fail("%q is to be written as %q", p, clean)
		case path.IsAbs(p):
			return fail("%q is absolute: only files of this module can be embedded, relative to this file", p)
		case p == ".." || strings.HasPrefix(p, "../"):
			return fail("%q is in a parent directory: only files beside this file or below can be embedded", p)
		}
	}
	if e.Glob == "" {
		return e, nil
	}
	if _, bad := pkgpath.Match(e.Glob, "", pkgpath.Unix); bad != nil {
		return fail("Glob pattern %q is not well formed", e.Glob)
	}
	if ext := path.Ext(path.Base(e.Glob)); e.Type == "" && (ext == "" || strings.ContainsAny(ext, `*?[\`)) {
		return fail("Glob pattern %q leaves the kind of the files open: add type=json, yaml, toml, text or binary", e.Glob)
	}
	return e, nil
}

// Matches tells whether a path below the directory of the CUE file matches the pattern. Names with a leading dot match only a
// pattern that has the dot too.
func (e Embedded) Matches(file string) bool {
	if ok, err := pkgpath.Match(e.Glob, file, pkgpath.Unix); err != nil || !ok {
		return false
	}
	patterns := strings.Split(e.Glob, "/")
	for i, name := range strings.Split(file, "/") {
		if strings.HasPrefix(name, ".") && (i >= len(patterns) || !strings.HasPrefix(patterns[i], ".")) {
			return false
		}
	}
	return true
}

func (i injector) glob(dir Directory, wanted Embedded, at token.Pos) (adt.Expr, errors.Error) {
	files := slices.DeleteFunc(dir.Files(), func(file string) bool { return !wanted.Matches(file) })
	if len(files) == 0 && !wanted.MayBeEmpty && !slices.ContainsFunc(dir.Files(), wanted.Matches) {
		return nil, errors.Newf(at, "No file matches %q", wanted.Glob)
	}
	all := &adt.StructLit{}
	ctx := adt.NewContext((*runtime.Runtime)(i.ctx), nil)
	for _, file := range files {
		if dir.Kind(file) == "directory" {
			continue
		}
		expr, err := i.file(dir, file, wanted.Type, at)
		if err != nil {
			return nil, err
		}
		all.Decls = append(all.Decls, &adt.Field{Label: ctx.StringLabel(file), Value: expr})
	}
	return all, nil
}

func (i injector) file(dir Directory, file, typ string, at token.Pos) (adt.Expr, errors.Error) {
	fail := func(format string, args ...any) (adt.Expr, errors.Error) {
		return nil, errors.Newf(at, format, args...)
	}
	known, err := filetypes.ParseFileAndType(file, typ, filetypes.Def)
	if err != nil {
		return fail("Cannot tell the kind of %q: %v", file, err)
	}
	switch dir.Kind(file) {
	case "none":
		return fail("There is no file %q beside this file", file)
	case "directory":
		return fail("%q is a directory", file)
	case "elsewhere":
		return fail("%q is in another module", file)
	}
	data, shown, _ := dir.Read(file)
	expr, err := i.decode(known, data, shown, file)
	if err != nil {
		return nil, errors.Promote(err, "cannot read "+file)
	}
	built := i.ctx.BuildFile(internal.ToFile(expr, false))
	if err := built.Err(); err != nil {
		return nil, errors.Promote(err, "cannot read "+file)
	}
	_, v := value.ToInternal(built)
	return v, nil
}

// decode reads a file as what it is known to be, and a schema as the CUE that it stands for.
func (i injector) decode(known *build.File, data []byte, shown, file string) (ast.Node, error) {
	expr, err := decodeData(known, data, shown, file)
	if err != nil || known.Interpretation == "" {
		return expr, err
	}
	schema := i.ctx.BuildFile(internal.ToFile(expr, false))
	if err := schema.Err(); err != nil {
		return nil, err
	}
	tags := known.BoolTags
	switch known.Interpretation {
	case build.JSONSchema:
		return orNil(jsonschema.Extract(schema, &jsonschema.Config{
			StrictKeywords:       tags["strictKeywords"],
			StrictFeatures:       tags["strictFeatures"],
			OpenOnlyWhenExplicit: tags["openOnlyWhenExplicit"],
		}))
	case build.OpenAPI:
		return orNil(openapi.Extract(schema, &openapi.Config{
			StrictKeywords: tags["strictKeywords"],
			StrictFeatures: tags["strictFeatures"],
		}))
	}
	return nil, errors.Newf(token.NoPos, "%s cannot be embedded", known.Interpretation)
}

func orNil(f *ast.File, err error) (ast.Node, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

func decodeData(known *build.File, data []byte, shown, file string) (ast.Expr, error) {
	if known.Encoding == build.Binary {
		return ast.NewLit(token.STRING, literal.Bytes.WithTabIndent(1).Quote(string(data))), nil
	}
	text, _, err := transform.Bytes(unicode.BOMOverride(unicode.UTF8.NewDecoder()), data)
	if err != nil {
		return nil, err
	}
	switch known.Encoding {
	case build.JSON:
		return json.Extract(shown, text)
	case build.YAML:
		return single(yaml.NewDecoder(shown, text).Decode, file)
	case build.TOML:
		return single(toml.NewDecoder(shown, strings.NewReader(string(text))).Decode, file)
	case build.XML:
		if !known.BoolTags["koala"] {
			return nil, errors.Newf(token.NoPos, "Xml has several readings: say type=xml+koala")
		}
		return single(koala.NewDecoder(shown, strings.NewReader(string(text))).Decode, file)
	case build.Text:
		return ast.NewString(string(text)), nil
	}
	return nil, errors.Newf(token.NoPos, "Files of the kind %s cannot be embedded: take json, yaml, toml, text or binary", known.Encoding)
}

// single is the one value of a file that may hold several.
func single(next func() (ast.Expr, error), file string) (ast.Expr, error) {
	expr, err := next()
	if err == io.EOF {
		return &ast.StructLit{}, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := next(); err == nil {
		return nil, errors.Newf(token.NoPos, "%q holds more than one value", file)
	}
	return expr, nil
}
