// Scanning: parse files once, and say what they need before they can be built.

package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/access"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/mod/module"
)

// scan parses files and keeps them, so that a load of the same text need not parse again.
func (s *Session) scan(r Request) Answer {
	answer := Answer{Scanned: []Scanned{}}
	for _, file := range r.Files {
		syntax, err := s.parse(file, r.Version)
		if err != nil {
			answer.Findings = append(answer.Findings, explainSyntax(file, findings(err, "cue-syntax", nil))...)
			continue
		}
		s.parsed[file.Name] = parsed{file.Text, r.Version, syntax}
		scanned, err := describe(file.Name, syntax, r.Tags)
		if err != nil {
			answer.Findings = append(answer.Findings, findings(err, "cue-syntax", nil)...)
			continue
		}
		answer.Scanned = append(answer.Scanned, scanned)
	}
	return answer
}

// parsed is a file that a scan has read and no load has used yet: building an instance changes the syntax tree.
type parsed struct {
	text, version string
	syntax        *ast.File
}

var languageVersion = regexp.MustCompile(`^v\d{1,5}\.\d{1,5}(\.\d{1,5})?(-[0-9A-Za-z.-]+)?$`)

func (s *Session) parse(file File, version string) (*ast.File, error) {
	if s.parsed == nil {
		s.parsed = map[string]parsed{}
	}
	if p, ok := s.parsed[file.Name]; ok && p.text == file.Text && p.version == version {
		delete(s.parsed, file.Name)
		return p.syntax, nil
	}
	return parser.ParseFile(file.Name, file.Text, parseOptions(version)...)
}

func parseOptions(version string) []parser.Option {
	options := []parser.Option{parser.ParseComments, parser.AllErrors}
	// The parser panics at anything else.
	if languageVersion.MatchString(version) {
		options = append(options, parser.Version(version))
	}
	return options
}

func describe(name string, syntax *ast.File, tags []string) (Scanned, error) {
	scanned := Scanned{Name: name, Package: syntax.PackageName(), Imports: []Import{}, Tags: []string{}, Vars: []string{}, Embeds: []Embed{}}
	included, err := access.ShouldBuild(syntax, func(tag string) bool {
		scanned.Tags = append(scanned.Tags, tag)
		return slices.Contains(tags, tag)
	})
	if err != nil {
		return scanned, err
	}
	scanned.Ignored = !included
	if scanned.Ignored {
		return scanned, nil
	}
	for spec := range syntax.ImportSpecs() {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return scanned, errors.Newf(spec.Pos(), "Import path %s is not a string", spec.Path.Value)
		}
		if first, _, _ := strings.Cut(path, "/"); first == "" || strings.Contains(first, ".") {
			scanned.Imports = append(scanned.Imports, describeImport(path, position(spec.Path.Pos())))
		}
	}
	scanned.Vars = tagVars(syntax)
	scanned.Embeds = describeEmbeds(syntax)
	return scanned, nil
}

func describeImport(path string, at Position) Import {
	parts := ast.ParseImportPath(path)
	found := Import{Path: path, At: at, Location: parts.Path, Version: parts.Version, Package: parts.Qualifier}
	switch err := module.CheckImportPath(path); {
	case path == "." || path == ".." || strings.HasPrefix(path, "./") || strings.HasPrefix(path, "../"):
		found.Wrong = "is relative: packages are imported by the path of their module"
	case err != nil:
		found.Wrong = "is not an import path: " + plainCause(err)
	case parts.Qualifier == "":
		found.Wrong = "does not tell the name of the package: its last element is no name"
	case parts.Qualifier == "_":
		found.Wrong = "names the package _, which cannot be imported"
	}
	return found
}

// plainCause is the innermost reason why a path is wrong.
func plainCause(err error) string {
	var wrong *module.InvalidPathError
	if errors.As(err, &wrong) && wrong.Err != nil {
		return wrong.Err.Error()
	}
	return err.Error()
}

// describeEmbeds lists what a file embeds, as far as its attributes are right: what is wrong is found when its package is compiled.
func describeEmbeds(syntax *ast.File) []Embed {
	list := []Embed{}
	attributes, err := access.Embeds(syntax)
	if err != nil {
		return list
	}
	for _, a := range attributes {
		wanted, err := a.Embedded()
		switch {
		case err != nil:
		case wanted.Glob != "":
			list = append(list, Embed{wanted.Glob, true})
		default:
			list = append(list, Embed{wanted.File, false})
		}
	}
	return list
}

const moduleHint = `Text is written in quotes: a module file has module: "HOST/PATH@v0", language: version: "vX.Y.Z" and deps: "HOST/PATH@v0": v: "vX.Y.Z"`

const languageHint = `Use a newer dagger (dagger version tells its CUE), or ask for an older version of the language`

// moduleHintFor says what to do about a module file. Errors are told apart by their format, which is a constant of access.
func moduleHintFor(err error) string {
	for _, one := range errors.Errors(err) {
		if format, _ := one.Msg(); strings.Contains(format, "is newer than the CUE") {
			return languageHint
		}
	}
	return moduleHint
}

// module reads the files of a module.
func (s *Session) module(r Request) Answer {
	var parsed []*ast.File
	for _, file := range r.Files {
		syntax, err := parser.ParseFile(file.Name, file.Text, parser.ParseComments, parser.AllErrors)
		if err != nil {
			return Answer{Findings: explainSyntax(file, findings(err, "cue-syntax", nil))}
		}
		parsed = append(parsed, syntax)
	}
	read, err := access.ReadModule(parsed[0])
	if err == nil && len(parsed) > 1 {
		read, err = access.ReadLocalModule(parsed[1], parsed[0])
	}
	if err != nil {
		return Answer{Findings: hinted(findings(err, "cue-module", nil), "cue-module", moduleHintFor(err))}
	}
	answer := Answer{Module: read}
	for _, syntax := range parsed {
		raw, err := access.NewContext(embeddedBeside).BuildFile(syntax).MarshalJSON()
		if err != nil {
			return Answer{Findings: findings(err, "cue-module", nil)}
		}
		answer.Raw = append(answer.Raw, raw)
	}
	return answer
}

// data evaluates one file that imports nothing, such as a registry configuration.
func (s *Session) data(r Request) Answer {
	syntax, err := s.parse(r.Files[0], r.Version)
	if err != nil {
		return Answer{Findings: explainSyntax(r.Files[0], findings(err, "cue-syntax", nil))}
	}
	data, err := access.NewContext(embeddedBeside).BuildFile(syntax).MarshalJSON()
	if err != nil {
		return Answer{Findings: findings(err, "cue-value", nil)}
	}
	return Answer{Data: data}
}
