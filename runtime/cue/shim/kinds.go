// Kinds of values in words, and what to do when one kind stands where another is wanted.

package main

import (
	"regexp"
	"slices"
	"strings"
)

var nouns = map[string]string{
	"string": "a string", "bytes": "bytes", "int": "a whole number (int)", "float": "a number with a fraction (float)", "number": "a number",
	"bool": "true or false (bool)", "list": "a list", "struct": "a struct", "null": "null", "_": "any value", "_|_": "an error", "func": "a function",
}

// kindWords words CUE's kinds: `(int|string)` is "a whole number (int) or a string".
func kindWords(kind string) string {
	parts := strings.Split(strings.Trim(kind, "()"), "|")
	words := make([]string, len(parts))
	for i, part := range parts {
		words[i] = part
		if noun := nouns[part]; noun != "" {
			words[i] = noun
		}
	}
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// mismatch words two values of one field that are of different kinds. One of them is mostly a type, and the other what a person wrote.
func mismatch(path, a, b, kindA, kindB string) (message, hint string) {
	if (isType(b) || isSecret(b)) && !isType(a) {
		a, b, kindA, kindB = b, a, kindB, kindA
	}
	if isSecret(a) && kindB == "string" {
		return mustBe(path, "a secret") + ", got text", secretHint
	}
	if isType(a) && !isType(b) {
		return mustBe(path, kindWords(kindA)) + ", got " + shorten(b) + gotKind(b, kindB), typeHint(kindA, kindB, b)
	}
	return named(path, "Two different values") + ": " + shorten(b) + " is " + kindWords(kindB) + ", " + shorten(a) + " is " + kindWords(kindA),
		"A field has one kind of value: change or remove one of the two"
}

func mustBe(path, what string) string {
	switch {
	case path == "":
		return "Here must stand " + what
	case strings.HasSuffix(path, "]"):
		return "The element " + path + " must be " + what
	}
	return "The field " + path + " must be " + what
}

const secretHint = `Write the name of a secret, {secret: "NAME"}, and give its value to the run with --secret`

// isSecret recognises #Secret of package op, which has no name in CUE's messages.
func isSecret(text string) bool { return strings.HasPrefix(text, "{secret!:") }

// gotKind names the kind of a value where it does not tell by itself.
func gotKind(text, kind string) string {
	if text == kind || isType(text) || kind == "null" || kind == "bool" {
		return ""
	}
	return ", which is " + kindWords(kind)
}

// isType tells whether a text is a type rather than a value: `string`, `[...]`, `>5`, `{name:string}`.
func isType(text string) bool {
	if nouns[text] != "" && text != "null" || strings.HasPrefix(text, "uint") || strings.HasPrefix(text, "int") || strings.HasPrefix(text, "float") {
		return true
	}
	if strings.HasPrefix(text, "[") && strings.Contains(text, "...") {
		return true
	}
	if strings.HasPrefix(text, "{") && (text == "{}" || strings.HasSuffix(text, ":string}") || strings.Contains(text, "...")) {
		return true
	}
	return strings.HasPrefix(text, ">") || strings.HasPrefix(text, "<") || strings.HasPrefix(text, "=~") || strings.HasPrefix(text, "!")
}

// typeHint says how the value that was given is written as the kind that is wanted.
func typeHint(wanted, given, text string) string {
	bare := strings.Trim(text, `"`)
	switch wanted, given = strings.Trim(wanted, "()"), strings.Trim(given, "()"); {
	case wanted == "string" && given == "bytes":
		return "Text is written in double quotes; single ones are for bytes"
	case wanted == "bytes" && given == "string":
		return "Bytes are written in single quotes"
	case wanted == "string" && (given == "int" || given == "float" || given == "bool" || given == "number") && !isType(text):
		return "Write it in quotes: \"" + text + "\""
	case strings.Contains("int float number", wanted) && given == "string" && isNumber(bare):
		return "Write it without quotes: " + bare
	case strings.Contains("int float number", wanted) && given == "string":
		return "Write a number, e.g. 8080"
	case wanted == "bool" && given == "string" && (bare == "true" || bare == "false"):
		return "Write it without quotes: " + bare
	case wanted == "bool" && given == "string" && strings.Contains(" yes no on off ", " "+strings.ToLower(bare)+" "):
		return "Write true or false, without quotes"
	case wanted == "int" && given == "float":
		return "Write a whole number, or declare the field as number"
	case wanted == "list" && !isType(text) && given != "list":
		return "Write a list: [" + shorten(text) + "]"
	case wanted == "struct" && given == "list":
		return "Write a struct: {name: value}"
	case wanted == "struct":
		return "Write a struct with its fields: {name: value}"
	case given == "null":
		return "Leave the field out, or allow null: null | …"
	}
	return "Change the value, or what the field is declared as"
}

func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789.-") == "" && strings.Trim(text, ".-") != ""
}

// useHint is for a value inside an expression.
func useHint(wanted, given, text string) string {
	switch {
	case strings.Contains(wanted, "string") && strings.Contains(wanted, "number"):
		return textHint(given, text)
	case wanted == "bool":
		return "Compare it with something, e.g. x == " + shorten(text)
	}
	return typeHint(wanted, given, text)
}

// textHint is for what cannot be part of a text, by its kind and by what its fields are called.
func textHint(given, text string) string {
	switch {
	case given == "list":
		return "Join its elements: strings.Join(x, \", \") with import \"strings\""
	case given == "null":
		return "Check for null before: if x != null {…}"
	case strings.HasPrefix(given, "func"):
		return "Call it: " + shorten(text) + "(…)"
	}
	labels := topLabels(text)
	if slices.Contains(labels, "#up") {
		return "A component is files, not text: let it export a string, {string, #up: [..., {do: \"export\", source: \"/file\"}]}"
	}
	if len(labels) > 0 && !slices.ContainsFunc(labels, func(label string) bool { return !inPackage.MatchString(label) }) {
		return "This is a package: use something in it, e.g. its " + labels[0]
	}
	return "Use one of its fields, or json.Marshal(…) with import \"encoding/json\""
}

// inPackage matches definitions, functions of CUE's own packages, and what is hidden: packages have little else.
var inPackage = regexp.MustCompile(`^(_?#|[A-Z]|_)`)

// topLabels lists the labels of the outermost struct in a text that CUE wrote for a value.
func topLabels(text string) []string {
	var out []string
	depth, start := 0, 1
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '{', '[', '(':
			depth++
		case '}', ']', ')':
			depth--
		case ',':
			if depth == 1 {
				start = i + 1
			}
		case ':':
			if depth == 1 && start > 0 {
				out = append(out, strings.TrimRight(text[start:i], "?!"))
				start = 0
			}
		}
	}
	return out
}

// operandHint tells what people mean who use an operator on the wrong kinds.
func operandHint(a []string) string {
	kinds := a[3] + " " + a[4]
	switch {
	case a[2] == "+" && strings.Contains(kinds, "string") && (strings.Contains(kinds, "int") || strings.Contains(kinds, "float")):
		return "Put the number into the text: \"… \\(x)\""
	case a[2] == "+" && a[3] == "struct" && a[4] == "struct":
		return "Structs are put together with &"
	case a[2] == "+" && strings.Contains(kinds, "list"):
		return "Write list.Concat([a, b]), with import \"list\""
	case strings.Contains(kinds, "null"):
		return "Check for null before: if x != null {…}"
	case strings.Contains("< <= > >=", a[2]):
		return "Only numbers, and only strings, can be compared by size"
	case a[2] == "&&" || a[2] == "||":
		return "&& and || take true or false; for types and values write & and |"
	}
	return "Both sides must be of kinds that " + a[2] + " takes"
}
