// Loading: build the instance from the packages of a request, evaluate it together with fills, and export it.

package main

import (
	"cmp"
	"strings"

	"cuelang.org/go/access"
	"cuelang.org/go/cue"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
)

// Session is the state between calls: parsed files that wait for a load, and the loaded instance.
type Session struct {
	parsed   map[string]parsed
	ctx      *cue.Context
	main     *access.Package
	instance *build.Instance
	// importPath of the main instance: hidden fields belong to it.
	importPath string
	follow     map[string]bool
	// own holds the names of the user's own files.
	own map[string]bool
	// embedded holds what files embed, by the name of the file that does.
	embedded map[string]directory
	// bare is the instance evaluated without fills; made when the kind of a field has to be known.
	bare *access.Root
	// prepared packages are used by the first load only: what it evaluates stays in their context.
	prepared *prepared
}

func (s *Session) load(r Request) []byte {
	if len(r.Packages) == 0 {
		return encode(Answer{Internal: "load: no packages"})
	}
	access.ShareBelow(r.Follow)
	ready := s.takePrepared(r.Follow)
	s.ctx, s.bare = ready.ctx, nil
	s.follow, s.own, s.embedded = map[string]bool{}, map[string]bool{}, map[string]directory{}
	for _, label := range r.Follow {
		s.follow[label] = true
	}
	for _, p := range r.Packages {
		for _, f := range p.Files {
			s.own[f.Name] = p.Own
			s.embedded[f.Name] = f.Embedded
		}
	}
	l := newLoader(s, r.Packages)
	for index, instance := range ready.matching(r.Packages) {
		l.done[index] = instance
	}
	instance := l.instance(0)
	if l.err == nil {
		l.err = instance.Err
	}
	if l.err != nil {
		return encode(Answer{Findings: suggestNames(findings(l.err, "cue-syntax", s.own), l.done)})
	}
	if err := injectTags(instance, r); err != nil {
		return encode(Answer{Findings: hinted(findings(err, "cue-tag", s.own), "cue-tag", tagHint(instance))})
	}
	wrong := l.unknownMembers()
	main, err := access.Compile(s.ctx, instance)
	if err != nil {
		found := hinted(findings(err, "cue-reference", s.own), "cue-embed", embedHint)
		wrong = withoutRepeats(append(wrong, suggestNames(found, l.done)...))
	}
	s.importPath, s.instance = instance.ImportPath, instance
	if len(wrong) > 0 {
		return s.goOn(r, wrong)
	}
	s.main = main
	return s.fill(r)
}

const embedHint = `Write @embed(file=data/x.json), @embed(glob=data/*.json) or @embed(file=x, type=text), in a package of a module`

// fill evaluates the loaded instance with all fills at once: filling one after another would keep every step in memory.
func (s *Session) fill(r Request) []byte {
	if s.main == nil {
		return encode(Answer{Internal: "fill: nothing is loaded"})
	}
	values, err := s.fillValues(r.Fills)
	if err != nil {
		return encode(Answer{Findings: findings(err, "cue-fill", s.own)})
	}
	root := s.main.Evaluate(values...)
	if err := root.Value().Validate(); err != nil {
		list := s.explain(findings(err, "cue-value", s.own), root)
		return s.exportWrong(root, list, false)
	}
	if err := s.checkDeclared(root, r.Fills); err != nil {
		return encode(Answer{Findings: findings(err, "cue-unknown-field", s.own)})
	}
	if r.Show != nil {
		return s.show(root.ValueIn(s.instance), *r.Show)
	}
	return s.export(root)
}

// explain adds to findings what only the evaluated values can tell.
func (s *Session) explain(list []Finding, root *access.Root) []Finding {
	for i, f := range list {
		switch f.Code {
		case "cue-cycle":
			list[i] = explainCycle(f, root, placer{own: s.own})
		case "cue-unknown-field":
			list[i].Hint = cmp.Or(suggestField(f, root), "Remove it, or add it to the definition")
		case "cue-reference":
			list[i].Hint = cmp.Or(s.suggestSelected(f, root), f.Hint)
		case "cue-value":
			list[i] = s.explainCall(f)
		}
	}
	return withoutRepeats(list)
}

// loader makes build instances out of the packages of a request.
type loader struct {
	session  *Session
	context  *build.Context
	packages []Package
	done     map[int]*build.Instance
	// stack holds the packages that are being built: an import of one of them is a cycle.
	stack []int
	err   errors.Error
}

func newLoader(s *Session, packages []Package) *loader {
	l := &loader{session: s, packages: packages, done: map[int]*build.Instance{}}
	l.context = build.NewContext(build.Loader(l.load))
	return l
}

func (l *loader) instance(index int) *build.Instance {
	if instance := l.done[index]; instance != nil {
		return instance
	}
	p := l.packages[index]
	instance := l.context.NewInstance("", nil)
	instance.ImportPath, instance.PkgName, instance.Module = p.ImportPath, p.Name, p.Module
	// One package has one path, however files write it (with a version, with a name); and one path may mean two packages.
	instance.CanonicalImportPath = func(path string) string {
		if i, ok := p.Imports[path]; ok {
			return l.packages[i].ImportPath
		}
		return path
	}
	l.done[index] = instance
	for _, file := range p.Files {
		syntax, err := l.session.parse(file, p.Version)
		if err != nil {
			l.err = errors.Append(l.err, errors.Promote(err, "parse"))
			continue
		}
		if err := instance.AddSyntax(syntax); err != nil {
			l.err = errors.Append(l.err, err)
		}
	}
	l.stack = append(l.stack, index)
	if err := instance.Complete(); err != nil {
		l.err = errors.Append(l.err, errors.Promote(err, "import"))
	}
	l.stack = l.stack[:len(l.stack)-1]
	return instance
}

// load is called for each import; nil means a builtin package.
func (l *loader) load(at token.Pos, path string) *build.Instance {
	importer := l.packages[l.stack[len(l.stack)-1]]
	index, ok := l.imported(importer, path)
	if !ok {
		if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
			return nil
		}
		return l.failed(path, errors.Newf(at, "cannot find package %q", path))
	}
	for _, i := range l.stack {
		if i == index {
			return l.failed(path, errors.Newf(at, "import cycle: %q imports itself", path))
		}
	}
	return l.instance(index)
}

// imported finds what an importer means by a path, as it writes it or as the package is known to all.
func (l *loader) imported(importer Package, path string) (int, bool) {
	for _, index := range importer.Imports {
		if l.packages[index].ImportPath == path {
			return index, true
		}
	}
	index, ok := importer.Imports[path]
	return index, ok
}

func (l *loader) failed(path string, err errors.Error) *build.Instance {
	instance := l.context.NewInstance("", nil)
	instance.ImportPath = path
	instance.ReportError(err)
	return instance
}
