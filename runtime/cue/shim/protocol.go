// The border between the shim and TypeScript. Twin of ../protocol.ts: change both or neither.
// One request is one JSON object; its answer is one JSON object: a result, `findings`, or `internal`.

package main

import (
	"encoding/json"

	"cuelang.org/go/access"
)

// Request is what the host asks. Which fields count depends on Call.
type Request struct {
	// "scan": parse files. "data": one file that stands alone, as JSON. "module": cue.mod/module.cue, with cue.mod/local-module.cue behind it when there is one. "load": build an instance, fill it and export it. "fill": the loaded instance with other fills.
	// "show": as load, with text for people as the answer. "format": files in the standard format. "deps": module files with other versions in their deps, laid out so, too.
	// "doc": what the files of one package say to people.
	// "prepare": compile packages that a later load will probably import, and forget everything else.
	Call     string    `json:"call"`
	Packages []Package `json:"packages"`
	Fills    []Fill    `json:"fills"`
	// scan, module, format, deps and doc; data takes one.
	Files   []File `json:"files"`
	Version string `json:"version"`
	// deps: all modules with their versions, by name with the major version.
	Deps map[string]string `json:"deps"`
	// scan and load: what the user gave as tags, each NAME or NAME=VALUE; a bare name is what @if asks for.
	Tags []string `json:"tags"`
	// load: tags that some @if of the user's module has asked for.
	KnownTags []string `json:"knownTags"`
	// load: values for @tag(var=NAME) that no tag has set, by name; nil when they are not wanted.
	Vars map[string]Var `json:"vars"`
	// Labels of definitions whose values are exported and below which references are shared, e.g. "#up".
	Follow []string `json:"follow"`
	// show.
	Show *Show `json:"show"`
}

// Show is what is to be shown of an instance, and how.
type Show struct {
	// Expression is evaluated in the scope of the instance; empty means the instance itself.
	Expression string `json:"expression"`
	// Format is "cue", "json", "yaml" or "text".
	Format string `json:"format"`
	// All shows hidden and optional fields, too; only for "cue".
	All bool `json:"all"`
	// Concrete: a value that is not known is an error; that it is for the other formats anyway.
	Concrete bool `json:"concrete"`
}

// check says what makes a request unusable, empty when nothing does.
func (r Request) check() string {
	if r.Call == "data" && len(r.Files) != 1 {
		return "data takes one file"
	}
	if (r.Call == "show") != (r.Show != nil) {
		return "what to show belongs to show"
	}
	for _, f := range r.Fills {
		if (f.Text == nil) == (f.JSON == nil) {
			return "a fill has either text or json"
		}
	}
	for _, p := range r.Packages {
		for path, index := range p.Imports {
			if index < 0 || index >= len(r.Packages) {
				return "there is no package for the import " + path
			}
		}
	}
	return ""
}

// File is a CUE file in memory; Name is what positions show.
type File struct {
	Name string `json:"name"`
	Text string `json:"text"`
	// Embedded holds what its @embed attributes ask for.
	Embedded []Embedded `json:"embedded"`
}

// Embedded is a file that a CUE file embeds, or a directory or a file of another module that it must not.
type Embedded struct {
	// Path is relative to the directory of the CUE file, with slashes.
	Path string `json:"path"`
	// Kind is "file", "directory" or "elsewhere".
	Kind string `json:"kind"`
	// Name is what positions in it show.
	Name string `json:"name"`
	Data []byte `json:"data"`
}

// Var is a value of the machine or the moment.
type Var struct {
	// Kind is "string" or "int".
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// Package is one instance; the first one of a load is the main one.
type Package struct {
	// ImportPath with the package name when that differs from its last element, e.g. "example.com/x:main".
	ImportPath string `json:"importPath"`
	Name       string `json:"name"`
	// Own: the files are the user's, not a library's.
	Own bool `json:"own"`
	// Version of the language that the module asks for, e.g. "v0.9.0"; empty means the newest.
	Version string `json:"version"`
	// Module is the path of its module; only packages of modules embed files.
	Module string `json:"module"`
	Files  []File `json:"files"`
	// Imports maps each import path, as the files write it, to an index of Packages; builtin packages are left out.
	Imports map[string]int `json:"imports"`
}

// Fill is one value put at a path. Exactly one of Text and JSON is set.
type Fill struct {
	Path   string  `json:"path"`
	Text   *string `json:"text"`
	JSON   *string `json:"json"`
	Origin string  `json:"origin"`
	// Elements: the path may lead through elements of lists that are there.
	Elements bool `json:"elements"`
}

// Scanned is the answer to "scan", one per file, in order.
type Scanned struct {
	Name    string `json:"name"`
	Package string `json:"package"`
	// Ignored: its @if or @ignore attribute leaves the file out.
	Ignored bool     `json:"ignored"`
	Imports []Import `json:"imports"`
	// Tags are those that its @if asks for.
	Tags []string `json:"tags"`
	// Vars are those that its @tag attributes name.
	Vars []string `json:"vars"`
	// Embeds are the paths and patterns of its @embed attributes.
	Embeds []Embed `json:"embeds"`
}

// Import is one import of a file, without those of builtin packages. Path is what the file has, the rest is its parts.
type Import struct {
	Path     string   `json:"path"`
	At       Position `json:"at"`
	Location string   `json:"location"`
	// Version is a major version such as "v1", or empty.
	Version string `json:"version"`
	Package string `json:"package"`
	// Wrong says why it is no import path at all.
	Wrong string `json:"wrong,omitempty"`
}

// Embed is a path, or a pattern of paths.
type Embed struct {
	Path string `json:"path"`
	Glob bool   `json:"glob"`
}

// Position starts at line 1, column 1.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// Finding is one thing that is wrong with the files or the fills.
type Finding struct {
	Code    string     `json:"code"`
	Message string     `json:"message"`
	Path    string     `json:"path,omitempty"`
	At      []Position `json:"at"`
	// Hint is one thing to do next.
	Hint string `json:"hint,omitempty"`
	// ofAlternative: it tells why one alternative of several does not fit.
	ofAlternative bool
	// choice: it lists the values that fit.
	choice bool
	// causes are the paths of the values that it comes from.
	causes []string
	// format and args are those of CUE's own message.
	format string
	args   []any
	// raw is CUE's own message with its causes.
	raw string
}

// Documented is a package as its files describe it.
type Documented struct {
	Package string `json:"package"`
	// Doc is what the comments of its package clauses say.
	Doc    string     `json:"doc"`
	Fields []DocField `json:"fields"`
}

// DocField is a field or a definition, as it is declared. Hidden ones, and those with a computed label, are left out.
type DocField struct {
	// Name as CUE writes it.
	Name string `json:"name"`
	// Mark is "!" for what must be given, "?" for what may be left out, else empty.
	Mark string `json:"mark"`
	// Type is CUE text; empty for a struct whose fields are told.
	Type string `json:"type"`
	// Default is CUE text; empty when there is none.
	Default string `json:"default"`
	Doc     string `json:"doc"`
	// Attributes as they are written, e.g. "@tag(version)".
	Attributes []string `json:"attributes,omitempty"`
	// Component: it has ops.
	Component bool `json:"component,omitempty"`
	// When: the comprehension that it stands in, e.g. "if x != _|_".
	When   string     `json:"when,omitempty"`
	Fields []DocField `json:"fields,omitempty"`
}

// Answer to "scan", and to any request that failed. The answer to "load" and "fill" is written by export.go:
//
//	{"files": [name], "texts": [string], "attributes": [[name, body]…][], "nodes": [Node], "findings": [Finding], "guessed": bool}
//
// With findings the values are wrong, and only serve to find more that is wrong; guessed: references to nothing stand there as `_`.
// files, texts and attributes are tables that nodes point into, nodes[0] is the root. A Node is an object:
//
//	k  kind; s  scalar as text, bytes as base64
//	p  path, only when it differs from the path of the node's first use in breadth-first order
//	f  fields, i  elements, each a Use
//	t  constraint as CUE text; m  what is missing, each [path, type, places]; e  findings; of an incomplete value: a field that it refers to is not there
//
// A Use is [label, target, places, doc, attributes]: target is the index of a node, or [kind, text] for a scalar written in place;
// places are numbers, three for each place: file, line, column; doc and attributes are indexes, -1 for none.
type Answer struct {
	Scanned []Scanned `json:"scanned,omitempty"`
	// Data is the answer to "data".
	Data json.RawMessage `json:"data,omitempty"`
	// Module is the answer to "module", Raw what each of its files says.
	Module *access.ModuleFile `json:"module,omitempty"`
	Raw    []json.RawMessage  `json:"raw,omitempty"`
	// Formatted is the answer to "format" and "deps", one text per file, in order.
	Formatted []string `json:"formatted,omitempty"`
	// Documented is the answer to "doc".
	Documented *Documented `json:"documented,omitempty"`
	// Shown is the answer to "show".
	Shown    *string   `json:"shown,omitempty"`
	Findings []Finding `json:"findings,omitempty"`
	// Internal is a bug in the shim or in CUE: text for a bug report.
	Internal string `json:"internal,omitempty"`
	// During is the place that was evaluated when it happened, where that is known.
	During []Position `json:"during,omitempty"`
}
