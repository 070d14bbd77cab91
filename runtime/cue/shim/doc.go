// Documentation: what the files of a package say to people: comments, types, defaults. It is read from the syntax, nothing is evaluated.

package main

import (
	"regexp"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
)

// doc documents the package that the files make up, or says what is wrong with those that do not parse.
func (s *Session) doc(r Request) Answer {
	answer := Answer{}
	d := documenter{values: map[string][]ast.Expr{}, inside: map[string]bool{}}
	var files []*ast.File
	for _, file := range r.Files {
		// Parsed anew: a tree that waits for a load must stay as it is.
		syntax, err := parser.ParseFile(file.Name, file.Text, parseOptions(r.Version)...)
		if err != nil {
			answer.Findings = append(answer.Findings, explainSyntax(file, findings(err, "cue-syntax", nil))...)
			continue
		}
		files = append(files, syntax)
		for _, decl := range syntax.Decls {
			if field, ok := decl.(*ast.Field); ok {
				name, _ := labelText(field.Label)
				d.values[name] = append(d.values[name], field.Value)
			}
		}
	}
	if len(answer.Findings) > 0 {
		return answer
	}
	documented := Documented{}
	top := shape{}
	for _, file := range files {
		for _, decl := range file.Decls {
			if clause, ok := decl.(*ast.Package); ok {
				documented.Package = clause.Name.Name
				documented.Doc = paragraphs(documented.Doc, commentOf(clause))
			}
		}
		d.addDecls(&top, file.Decls)
	}
	documented.Fields = top.fields
	answer.Documented = &documented
	return answer
}

type documenter struct {
	// values of the package's own fields, by name.
	values map[string][]ast.Expr
	// inside holds the definitions that are being embedded: one may embed itself.
	inside map[string]bool
}

// shape is what is known of a value: the fields of a struct, the constraints beside it, what it is by default.
type shape struct {
	fields    []DocField
	types     []string
	fallback  string
	component bool
}

func (d *documenter) addDecls(to *shape, decls []ast.Decl) {
	for _, decl := range decls {
		switch x := decl.(type) {
		case *ast.EmbedDecl:
			d.add(to, x.Expr, true)
		case *ast.Field:
			d.addField(to, x, "")
		}
	}
	// What is always there says what a field is; what a comprehension adds comes behind it.
	for _, decl := range decls {
		if x, ok := decl.(*ast.Comprehension); ok {
			d.addComprehension(to, x, "")
		}
	}
}

// addComprehension takes the fields that a comprehension makes; outer is the one around it.
func (d *documenter) addComprehension(to *shape, x *ast.Comprehension, outer string) {
	when, otherwise := "", "fallback of "
	for _, clause := range x.Clauses {
		when = joined(when, clauseText(clause))
	}
	if strings.HasPrefix(when, "if ") && len(x.Clauses) == 1 {
		otherwise = "else of "
	}
	if body, ok := x.Value.(*ast.StructLit); ok {
		d.addConditional(to, body.Elts, joined(outer, when))
	}
	if x.Fallback != nil {
		d.addConditional(to, x.Fallback.Body.Elts, joined(outer, otherwise+when))
	}
}

func (d *documenter) addConditional(to *shape, decls []ast.Decl, when string) {
	for _, decl := range decls {
		switch x := decl.(type) {
		case *ast.Field:
			d.addField(to, x, when)
		case *ast.Comprehension:
			d.addComprehension(to, x, when)
		}
	}
}

func clauseText(clause ast.Clause) string {
	switch x := clause.(type) {
	case *ast.IfClause:
		return "if " + textOf(x.Condition)
	case *ast.ForClause:
		names := x.Value.Name
		if x.Key != nil {
			names = x.Key.Name + ", " + names
		}
		return "for " + names + " in " + textOf(x.Source)
	case *ast.LetClause:
		return "let " + x.Ident.Name + " = " + textOf(x.Expr)
	}
	return ""
}

func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

// addField takes a field; when is the comprehension that it stands in, if any.
func (d *documenter) addField(to *shape, field *ast.Field, when string) {
	name, ok := labelText(field.Label)
	if !ok && when != "" {
		name, ok = computedLabel(field.Label)
	}
	if name == "#up" {
		to.component = true
	}
	if !ok || name == "#up" || strings.HasPrefix(name, "_") {
		return
	}
	value := shape{}
	d.add(&value, field.Value, strings.HasPrefix(name, "#"))
	one := DocField{Name: name, Mark: markOf(field), Doc: commentOf(field), Type: strings.Join(value.types, " & "), Default: value.fallback, Component: value.component, When: when}
	// What a config puts into somebody else's definition is documented there.
	if one.Type == "" || strings.HasPrefix(name, "#") {
		one.Fields = value.fields
	}
	for _, attribute := range field.Attrs {
		one.Attributes = append(one.Attributes, attribute.Text)
	}
	at := slices.IndexFunc(to.fields, func(f DocField) bool { return f.Name == name })
	if at < 0 {
		to.fields = append(to.fields, one)
		return
	}
	to.fields[at] = merge(to.fields[at], one)
}

// computedLabel is a label that a loop makes, as it is written.
func computedLabel(label ast.Label) (text string, ok bool) {
	switch x := label.(type) {
	case *ast.Interpolation:
		return textOf(x), true
	case *ast.ParenExpr:
		return textOf(x), true
	}
	return "", false
}

// add takes what an expression says. With inline, definitions of the package itself are taken for what they hold.
func (d *documenter) add(to *shape, expr ast.Expr, inline bool) {
	switch x := expr.(type) {
	case *ast.StructLit:
		if slices.ContainsFunc(x.Elts, isNamed) {
			d.addDecls(to, x.Elts)
			return
		}
	case *ast.ListLit:
		if slices.ContainsFunc(x.Elts, isComprehension) {
			to.types = append(to.types, "[...]")
			return
		}
	case *ast.BinaryExpr:
		if x.Op == token.AND {
			d.add(to, x.X, inline)
			d.add(to, x.Y, inline)
			return
		}
	case *ast.ParenExpr:
		if _, marked := splitDefault(x.X); marked != nil {
			d.add(to, x.X, inline)
			if last := len(to.types) - 1; strings.Contains(to.types[last], " | ") {
				to.types[last] = "(" + to.types[last] + ")"
			}
			return
		}
	case *ast.Ident:
		values, known := d.values[x.Name]
		if inline && known && strings.Contains(x.Name, "#") {
			if !d.inside[x.Name] {
				d.inside[x.Name] = true
				for _, value := range values {
					d.add(to, value, true)
				}
				delete(d.inside, x.Name)
			}
			return
		}
	}
	kind, marked := splitDefault(expr)
	if marked != nil {
		to.fallback = textOf(marked)
	}
	if text := textOf(kind); text != "{}" && text != "{...}" && text != "" {
		to.types = append(to.types, text)
	}
}

// isNamed tells whether a declaration makes a struct more than a pattern of fields.
func isNamed(decl ast.Decl) bool {
	switch x := decl.(type) {
	case *ast.Field:
		_, pattern := x.Label.(*ast.ListLit)
		return !pattern
	case *ast.Ellipsis, *ast.CommentGroup:
		return false
	}
	return true
}

// isComprehension tells whether elements of a list are computed.
func isComprehension(expr ast.Expr) bool {
	_, ok := expr.(*ast.Comprehension)
	return ok
}

// splitDefault takes the marked alternative out of a disjunction. It stays, unmarked, when there are only values to choose from.
func splitDefault(expr ast.Expr) (kind, marked ast.Expr) {
	var all, rest []ast.Expr
	choice := true
	for _, one := range choicesOf(expr) {
		if u, ok := one.(*ast.UnaryExpr); ok && u.Op == token.MUL {
			marked = u.X
			all = append(all, u.X)
			continue
		}
		_, isValue := one.(*ast.BasicLit)
		choice = choice && isValue
		all, rest = append(all, one), append(rest, one)
	}
	switch {
	case marked == nil:
		return expr, nil
	case choice:
		rest = all
	}
	kind = rest[0]
	for _, one := range rest[1:] {
		kind = &ast.BinaryExpr{X: kind, Op: token.OR, Y: one}
	}
	return kind, marked
}

func choicesOf(expr ast.Expr) []ast.Expr {
	if x, ok := expr.(*ast.BinaryExpr); ok && x.Op == token.OR {
		return append(choicesOf(x.X), choicesOf(x.Y)...)
	}
	return []ast.Expr{expr}
}

func markOf(field *ast.Field) string {
	switch field.Constraint {
	case token.OPTION:
		return "?"
	case token.NOT:
		return "!"
	}
	return ""
}

// labelText is a label as CUE writes it; not ok when it is computed.
func labelText(label ast.Label) (text string, ok bool) {
	if alias, isAlias := label.(*ast.Alias); isAlias {
		inner, isLabel := alias.Expr.(ast.Label)
		if !isLabel {
			return "", false
		}
		label = inner
	}
	if pattern, isPattern := label.(*ast.ListLit); isPattern {
		return textOf(pattern), true
	}
	name, isIdent, err := ast.LabelName(label)
	if err != nil {
		return "", false
	}
	if !isIdent && (!ast.IsValidIdent(name) || strings.ContainsAny(name[:1], "#_")) {
		return literal.String.Quote(name), true
	}
	return name, true
}

// commentOf is the comment that stands right above a node, without its slashes.
func commentOf(node ast.Node) string {
	text := ""
	for _, group := range ast.Comments(node) {
		if group.Doc {
			text = paragraphs(text, strings.TrimSpace(group.Text()))
		}
	}
	return text
}

func paragraphs(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n\n" + b
}

var (
	// Behind labels that stand below each other, the format has blanks.
	aligned     = regexp.MustCompile(`(?m)^(\s*\S+:) +`)
	openingLine = regexp.MustCompile(`([{\[(])\n\s*`)
	closingLine = regexp.MustCompile(`,?\n\s*([}\])])`)
	otherLine   = regexp.MustCompile(`,?\n\s*`)
)

// textOf is an expression as one line of CUE; text of many lines keeps them.
func textOf(expr ast.Expr) string {
	ast.Walk(expr, func(node ast.Node) bool {
		ast.SetComments(node, nil)
		return true
	}, nil)
	bytes, err := format.Node(expr)
	if err != nil {
		return ""
	}
	text := strings.TrimSpace(string(bytes))
	if strings.Contains(text, `"""`) || strings.Contains(text, `'''`) {
		return text
	}
	if !strings.Contains(text, "\n") {
		return text
	}
	text = aligned.ReplaceAllString(text, "$1 ")
	text = closingLine.ReplaceAllString(openingLine.ReplaceAllString(text, "$1"), "$1")
	return otherLine.ReplaceAllString(text, ", ")
}
