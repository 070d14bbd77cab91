// Scanning: parse files once, and say what they need before they can be built.

package main

import (
	"regexp"
	"strconv"
	"strings"

	"cuelang.org/go/access"
	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
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
	options := []parser.Option{parser.ParseComments, parser.AllErrors}
	// The parser panics at anything else.
	if languageVersion.MatchString(version) {
		options = append(options, parser.Version(version))
	}
	return parser.ParseFile(file.Name, file.Text, options...)
}

func describe(name string, syntax *ast.File, tags []string) (Scanned, error) {
	scanned := Scanned{Name: name, Package: syntax.PackageName(), Imports: []Import{}}
	included, err := isIncluded(syntax, tags)
	if err != nil {
		return scanned, err
	}
	scanned.Ignored = !included
	for spec := range syntax.ImportSpecs() {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return scanned, errors.Newf(spec.Pos(), "Import path %s is not a string", spec.Path.Value)
		}
		if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") {
			scanned.Imports = append(scanned.Imports, Import{path, position(spec.Path.Pos())})
		}
	}
	return scanned, nil
}

// isIncluded reads the attributes above the package clause: @ignore() leaves a file out, @if(tag) asks for a tag.
func isIncluded(syntax *ast.File, tags []string) (bool, error) {
	for _, d := range syntax.Decls {
		switch d := d.(type) {
		case *ast.Package:
			return true, nil
		case *ast.Attribute:
			switch key, body := d.Split(); key {
			case "ignore":
				return false, nil
			case "if":
				condition, err := parser.ParseExpr(d.Pos().Filename(), body)
				if err != nil {
					return false, errors.Newf(d.Pos(), "Cannot read the condition of @if(%s)", body)
				}
				return holds(condition, tags)
			}
		}
	}
	return true, nil
}

func holds(condition ast.Expr, tags []string) (bool, error) {
	switch x := condition.(type) {
	case *ast.Ident:
		for _, tag := range tags {
			if tag == x.Name {
				return true, nil
			}
		}
		return false, nil
	case *ast.ParenExpr:
		return holds(x.X, tags)
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			is, err := holds(x.X, tags)
			return !is, err
		}
	case *ast.BinaryExpr:
		if x.Op == token.LAND || x.Op == token.LOR {
			left, err := holds(x.X, tags)
			if err != nil || left == (x.Op == token.LOR) {
				return left, err
			}
			return holds(x.Y, tags)
		}
	}
	return false, errors.Newf(condition.Pos(), "The condition of @if takes tags, !, &&, || and parentheses only")
}

// data evaluates one file that imports nothing, such as cue.mod/module.cue.
func (s *Session) data(r Request) Answer {
	syntax, err := s.parse(r.Files[0], r.Version)
	if err != nil {
		return Answer{Findings: explainSyntax(r.Files[0], findings(err, "cue-syntax", nil))}
	}
	value := access.NewContext().BuildFile(syntax)
	if err := value.Validate(cue.Concrete(true)); err != nil {
		return Answer{Findings: inModule(findings(err, "cue-value", nil))}
	}
	data, err := value.MarshalJSON()
	if err != nil {
		return Answer{Findings: findings(err, "cue-value", nil)}
	}
	return Answer{Data: data}
}

// inModule: in a file of plain data a reference is text without its quotes.
func inModule(list []Finding) []Finding {
	for i, f := range list {
		if f.format == notFound {
			list[i].Hint = "Text is written in quotes, e.g. module: \"example.com/app\""
		}
	}
	return withoutRepeats(list)
}
