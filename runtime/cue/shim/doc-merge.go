// Documentation of a field that is declared several times, always or in comprehensions.

package main

import "slices"

// merge makes one of two declarations of a field.
func merge(a, b DocField) DocField {
	switch {
	case a.When == "" && b.When != "":
		return mergeConditional(a, b)
	case a.When != "" && b.When == "":
		return mergeConditional(b, a)
	case a.When != b.When:
		return mergeAlternatives(a, b)
	}
	a.Doc = paragraphs(a.Doc, b.Doc)
	switch {
	case a.Mark == "!" && b.Type == "_" && b.Default == "":
		// A definition names an input that it embeds, to use it: who runs it must still give it.
	case b.Mark == "!" && a.Type == "_" && a.Default == "":
		a.Mark = b.Mark
	case a.Mark != "" && (b.Mark == "" || b.Mark == "!"):
		a.Mark = b.Mark
	}
	switch {
	case a.Type == "" || a.Type == "_":
		a.Type = b.Type
	case b.Type != "" && b.Type != "_" && b.Type != a.Type:
		a.Type += " & " + b.Type
	}
	if b.Default != "" {
		a.Default = b.Default
	}
	a.Component = a.Component || b.Component
	a.Attributes = append(a.Attributes, b.Attributes...)
	for _, field := range b.Fields {
		a.Fields = mergeInto(a.Fields, field)
	}
	return a
}

// mergeConditional adds what a comprehension says of a field that is always there: fields of its own.
func mergeConditional(always, sometimes DocField) DocField {
	for _, field := range sometimes.Fields {
		field.When = joined(sometimes.When, field.When)
		always.Fields = mergeInto(always.Fields, field)
	}
	return always
}

// mergeAlternatives makes one of two fields that different comprehensions make.
func mergeAlternatives(a, b DocField) DocField {
	a.When += " or " + b.When
	if b.Doc != a.Doc {
		a.Doc = paragraphs(a.Doc, b.Doc)
	}
	if b.Type != a.Type && a.Type != "" && b.Type != "" {
		a.Type += " | " + b.Type
	}
	if b.Default != a.Default {
		a.Default = ""
	}
	a.Component = a.Component || b.Component
	for _, field := range b.Fields {
		a.Fields = mergeInto(a.Fields, field)
	}
	return a
}

func mergeInto(fields []DocField, field DocField) []DocField {
	if at := slices.IndexFunc(fields, func(f DocField) bool { return f.Name == field.Name }); at >= 0 {
		fields[at] = merge(fields[at], field)
		return fields
	}
	return append(fields, field)
}
