// Syntax: what a parser stumbles over, in words, once for each mistake, and what people mean who write it so.

package main

import (
	"regexp"
	"slices"
	"strings"
)

// explainSyntax words the syntax errors of one file. A parser that lost its way stumbles again right behind: that is not told.
func explainSyntax(file File, list []Finding) []Finding {
	lines := strings.Split(file.Text, "\n")
	slices.SortStableFunc(list, func(a, b Finding) int { return line(a) - line(b) })
	var out []Finding
	stray := unmatched(file)
	for _, f := range list {
		if len(f.At) == 0 {
			out = append(out, f)
			continue
		}
		at := f.At[0]
		if len(out) > 0 && isFollowUp(out[len(out)-1], f) {
			continue
		}
		f.Message = syntaxWords(f.raw)
		source := ""
		if at.Line >= 1 && at.Line <= len(lines) {
			source = strings.TrimSuffix(lines[at.Line-1], "\r")
		}
		before := ""
		if at.Line >= 2 && at.Line <= len(lines) {
			before = strings.TrimSuffix(lines[at.Line-2], "\r")
		}
		f.Hint = syntaxHint(source, before, f.Message)
		if stray != nil && (f.Hint == "" || strings.HasPrefix(f.Hint, "Look at") || isBracket(source, at.Column)) && stray.explains(f) {
			f.Message, f.Hint, f.At = stray.message, stray.hint, stray.at
			stray = nil
		}
		out = append(out, f)
	}
	return out
}

// isBracket tells whether a closing bracket stands in a column of a line.
func isBracket(source string, column int) bool {
	return column >= 1 && column <= len(source) && strings.IndexByte("}])", source[column-1]) >= 0
}

func line(f Finding) int {
	if len(f.At) == 0 {
		return 0
	}
	return f.At[0].Line
}

// isFollowUp tells whether an error is near enough to the one before to be its consequence, or only says that the file ends too early.
func isFollowUp(before, f Finding) bool {
	if len(before.At) == 0 || len(f.At) == 0 {
		return false
	}
	near := slices.ContainsFunc(before.At, func(p Position) bool { return f.At[0].Line-p.Line >= 0 && f.At[0].Line-p.Line <= 2 })
	return near || strings.HasSuffix(f.raw, "found 'EOF'")
}

var found = regexp.MustCompile(`^expected (.*?)(?:, found (?:'([^']*)'(?: (.*))?|(newline)))?$`)

var objects = map[string]string{
	"operand": "a value", "','": "the end of the line", "label or ':'": "a colon behind the label", "selector": "a name behind the dot", "expression": "a value",
	"'EOF'": "the end of the file", "identifier or '('": "a name", "identifier for alias": "a name", "STRING": "a text in quotes", "')' for string interpolation": "a closing ) in the text",
}

func syntaxWords(message string) string {
	if m := found.FindStringSubmatch(message); m != nil && !strings.HasPrefix(message, "expected newline after") {
		object := m[1]
		if word := objects[object]; word != "" {
			object = word
		}
		return "Expected " + strings.ReplaceAll(object, "'", "") + foundWords(m[2], m[3], m[4])
	}
	for _, known := range [][2]string{
		{"missing ',' in struct literal", "Expected the end of the field, or a comma, before this"},
		{"missing ',' in list literal", "Expected a comma, or the ] of the list, before this"},
		{"missing ',' before newline in list literal", "Expected a comma at the end of the line: the list goes on"},
		{"missing ',' before newline in", "Expected a comma at the end of the line"},
		{"missing ',' in", "Expected a comma before this"},
		{"string literal not terminated", "The text has no closing quote"},
		{"unknown escape sequence", "Text has no such escape sequence"},
		{"non-matching whitespace for multiline strings", "A line of the text is indented less than its closing quotes"},
		{"expected newline after multiline quote", "The text must begin on the line after its opening quotes"},
		{"illegal character NUL", "The file has a zero byte here: it is no text"},
		{"illegal byte order mark", "A byte order mark in the middle of the file"},
		{"illegal UTF-8 encoding", "Bytes that are no UTF-8 text"},
		{"illegal character ", "CUE has no such character: "},
		{"illegal octal number", "Not a number; octal ones are written 0o755"},
		{"illegal integer number", "Not a number; octal ones are written 0o755"},
		{"expression exceeds maximum nesting depth of", "Nested too deeply; at most"},
		{"invalid package name", "Not a name of a package:"},
		{"invalid import path:", "Not a path of a package:"},
		{"illegal token '..'; expected '.'", "Two dots, where one selects a field"},
		{"identifiers starting with '__' are reserved", "Names with two underscores at the start are CUE's own"},
		{"square bracket must have exactly one element", "A pattern has one value between its brackets"},
		{"hexadecimal escape not allowed in string literal", "Text has no \\x: that stands for a byte"},
		{"octal escape not allowed in string literal", "Text has no octal escapes: these stand for a byte"},
		{"illegal hexadecimal number", "Not a hexadecimal number"},
		{"illegal binary number", "Not a binary number"},
		{"illegal exponent in number", "The number ends in the middle of its exponent"},
		{"illegal '_' in number", "An underscore in a number stands between two digits"},
	} {
		if rest, ok := strings.CutPrefix(message, known[0]); ok {
			if strings.HasPrefix(known[0], "missing") || strings.HasPrefix(known[0], "expected newline") {
				rest = ""
			}
			return known[1] + rest
		}
	}
	if m := sameName.FindStringSubmatch(message); m != nil {
		return "Two declarations have the name " + m[1] + " here"
	}
	return upperFirst(message)
}

var sameName = regexp.MustCompile(`^(?:alias|cannot have both alias and field with name) ("[^"]*")(?: redeclared)? in same scope$`)

func upperFirst(text string) string {
	if text == "" || text[0] < 'a' || text[0] > 'z' {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func foundWords(token, literal, newline string) string {
	switch {
	case token == "ATTRIBUTE":
		return ", found an attribute, which begins with @"
	case newline != "":
		return ", found the end of the line"
	case token == "EOF":
		return ", found the end of the file"
	case literal != "":
		return ", found " + shorten(literal)
	case token != "":
		return ", found " + token
	}
	return ""
}

// habits are what people write who come from another language, and what CUE has instead. The pattern is searched in the line.
var habits = []struct {
	line *regexp.Regexp
	hint string
}{
	{regexp.MustCompile(`^\s*/\*`), "Comments start with //, on every line"},
	{regexp.MustCompile(`^\s*#\s`), "Comments start with //"},
	{regexp.MustCompile(`^\s*--\s`), "Comments start with //"},
	{regexp.MustCompile(`;\s*(//.*)?$`), "Leave the semicolon out: a line ends a field"},
	{regexp.MustCompile(`^(<<<<<<<|=======|>>>>>>>)`), "Git left this conflict: choose one side, and remove the marked lines"},
	{regexp.MustCompile(`^\s*import\s+[\w./]+\s*$`), "The path of a package stands in quotes: import \"strings\""},
	{regexp.MustCompile(`^\s*import\s*=?\s*'`), "The path of a package stands in double quotes: import \"strings\""},
	{regexp.MustCompile(`:\s*(https?|git|ssh)://`), "Text is written in quotes"},
	{regexp.MustCompile(`[“”„«»]`), "Text is written in plain double quotes: \""},
	{regexp.MustCompile(`\\\(`), "An interpolation stands inside of quotes: \"\\(name)\"; a computed label in parentheses: (name): value"},
	{regexp.MustCompile(`\w\s*%\s*\w`), "The remainder is written mod(a, b)"},
	{regexp.MustCompile(`\+\+|--`), "CUE has no ++ and --: nothing changes its value"},
	{regexp.MustCompile(`,\s*,`), "Remove one of the two commas"},
	{regexp.MustCompile(`\[\s*\.\.\.\s*,`), "`...` must be the last element of a list"},
	{regexp.MustCompile(`\[for\b[^{]*$`), "A loop has its body in braces: [for x in list {x}]"},
	{regexp.MustCompile(`\}\s*else\b|^\s*else\b`), "There is no else: write a second if with the opposite condition, e.g. if !x {…}"},
	{regexp.MustCompile(`^\s*(func|function|def)\b`), "CUE has no functions of your own: write a definition, e.g. #Name: {in: string, out: \"\\(in)!\"}"},
	{regexp.MustCompile(`^\s*(var|const|val)\s`), "A field is written name: value, without a keyword"},
	{regexp.MustCompile(`^\s*let\s+\w+\s*:`), "A let is written with =: let x = value"},
	{regexp.MustCompile(`^\s*for\b[^{]*$`), "A loop has its body in braces: for x in list {…}"},
	{regexp.MustCompile(`\bif\s[^{}]*\}`), "A condition has its fields in braces: if x {a: 1}"},
	{regexp.MustCompile(`:\s*#+"[^"]*"$`), "What begins with #\" ends with \"#"},
	{regexp.MustCompile(`^\s*if\b[^{]*$`), "A condition has its body in braces: if x {…}"},
	{regexp.MustCompile(`:=`), "A field is written with a colon alone: name: value"},
	{regexp.MustCompile(`===`), "Values are compared with =="},
	{regexp.MustCompile(`=>`), "CUE has no =>: a field is written name: value"},
	{regexp.MustCompile(`\?\s*"?[\w.]+"?\s*:`), "CUE has no ? : operator: write [if x {a}, b][0]"},
	{regexp.MustCompile(`^\s*[A-Za-z_]\w*\s*=[^=~]`), "A field is written with a colon: name: value"},
	{regexp.MustCompile(`^\s*[A-Za-z_]\w*(-\w+)+\s*:`), "A label with a dash needs quotes: \"my-name\": …"},
	{regexp.MustCompile(`^\s*[A-Za-z_]\w*(\.\w+)+\s*:`), "Fields inside of fields are written with colons: a: b: …"},
	{regexp.MustCompile(`^\s*\d[\w.]*\s*:`), "A label that starts with a digit needs quotes: \"1a\": …"},
	{regexp.MustCompile(`^\s*-\s+\w+:`), "A list is written in brackets: [{…}, {…}]"},
	{regexp.MustCompile("`"), "Text is written in double quotes"},
	{regexp.MustCompile(`\b(and|or|not)\b\s+\w`), "Conditions are put together with &&, || and !"},
	{regexp.MustCompile(`\b0\d`), "Octal numbers are written 0o755"},
}

func syntaxHint(source, before, message string) string {
	for _, own := range messageHints {
		if strings.HasPrefix(message, own[0]) {
			return own[1]
		}
	}
	late := strings.HasPrefix(message, "Expected a colon")
	switch {
	case late && strings.HasSuffix(message, "which begins with @"):
		return "A label with other characters than letters, digits, _ and $ needs quotes"
	case strings.HasPrefix(message, "Expected the end of the line") && strings.HasPrefix(strings.TrimSpace(source), "package"):
		return "The name of a package is one word: package name"
	case late && strings.HasPrefix(strings.TrimSpace(source), "import"):
		return "Imports come first, right behind the package clause"
	case late && strings.HasPrefix(strings.TrimSpace(source), "package"):
		return "A file has one package clause, as its first line"
	}
	if hint := habitHint(source); hint != "" {
		return hint
	}
	if hint := habitHint(before); hint != "" && !strings.HasSuffix(strings.TrimSpace(before), ",") {
		return hint
	}
	switch {
	case strings.HasPrefix(message, "Expected the end of the field"):
		return "Put each field on a line of its own, or a comma between them"
	case strings.HasPrefix(message, "Expected a comma"):
		return "Put a comma between the elements, also at the end of a line"
	case late:
		return "A field is written name: value"
	}
	return "Look at this place and at what stands right before it"
}

// messageHints belong to messages that tell enough by themselves.
var messageHints = [][2]string{
	{"The text has no closing quote", "Close it on the same line; text of several lines stands between \"\"\" and \"\"\""},
	{"Text has no such escape", "A backslash is written as \\\\"},
	{"A line of the text is indented", "Indent every line at least as far as the closing quotes, with the same tabs or blanks"},
	{"The text must begin", "Put a line break behind the opening \"\"\""},
	{"The file has a zero byte", "Save the file as UTF-8 text"},
	{"A byte order mark", "Save the file as UTF-8 text without a byte order mark"},
	{"Bytes that are no UTF-8", "Save the file as UTF-8 text"},
	{"Not a path of a package", "Write the path of a package, e.g. import \"strings\""},
	{"Attribute missing", "An attribute is written @name(text), and ends on its line or with its parenthesis"},
	{"Nested too deeply", "Give inner parts names of their own"},
	{"Two dots", "Remove one of them"},
	{"Names with two underscores", "Begin the name with one underscore, or with none"},
	{"A pattern has one value", "Put the labels together: [=~\"^(a|b)$\"]: … or [\"a\" | \"b\"]: …"},
	{"Text has no \\x", "Write a character as \\u0041; bytes stand in single quotes: '\\x41'"},
	{"Text has no octal", "Write a character as \\u0041; bytes stand in single quotes: '\\101'"},
	{"Not a hexadecimal number", "Its digits are 0 to 9 and a to f: 0xff"},
	{"Not a binary number", "Its digits are 0 and 1: 0b101"},
	{"The number ends", "Write the digits of the exponent: 1e6"},
	{"An underscore in a number", "Write it like 1_000, or without"},
	{"Two declarations have the name", "Give one of the two another name"},
}

func habitHint(source string) string {
	for _, h := range habits {
		if h.line.MatchString(source) {
			return h.hint
		}
	}
	return ""
}
