// Exporting: the evaluated instance as a table of nodes, each value once however often it is used. protocol.go has the format.

package main

import (
	"encoding/base64"
	"strconv"

	"cuelang.org/go/access"
)

// kinds are the words of compiler/value.ts.
var kinds = map[access.Kind]string{
	access.Incomplete: "incomplete", access.Error: "error", access.Null: "null", access.Bool: "bool", access.Int: "int",
	access.Number: "number", access.String: "string", access.Bytes: "bytes", access.List: "list", access.Struct: "struct",
}

// exporter walks breadth first with a queue, so that no depth of nesting can exhaust the stack.
type exporter struct {
	follow     map[string]bool
	places     placer
	out        []byte
	nodes      map[any]int
	queue      []node
	files      table
	texts      table
	attributes table
	// explain words a finding, with what the evaluated values tell.
	explain func([]Finding) []Finding
}

// node waits to be written.
type node struct {
	vertex access.Vertex
	// path of the first use: what the host will derive for itself.
	path string
	// required: only demanded (`name!: string`), not given.
	required bool
	// own: the value belongs to this use alone.
	own    bool
	kind   access.Kind
	scalar string
}

func (s *Session) export(root *access.Root) []byte {
	explain := func(list []Finding) []Finding { return s.explain(list, root) }
	e := &exporter{follow: s.follow, places: placer{own: s.own}, nodes: map[any]int{}, explain: explain}
	e.out = append(e.out, `{"nodes":[`...)
	e.node(root.Vertex(), "", false)
	for i := 0; i < len(e.queue); i++ {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.write(e.queue[i])
	}
	e.out = append(e.out, `],"files":[`...)
	e.out = e.files.write(e.out)
	e.out = append(e.out, `],"texts":[`...)
	e.out = e.texts.write(e.out)
	e.out = append(e.out, `],"attributes":[`...)
	e.out = e.attributes.writeRaw(e.out)
	return append(e.out, "]}"...)
}

// node gives the index of the node of a value, and queues it when it is new.
func (e *exporter) node(v access.Vertex, path string, required bool) int {
	id := v.Identity()
	kind, scalar := v.Kind()
	// `a: #Name, b: #Name` are two values to be given, though both share the structure of the type.
	own := required || kind == access.Incomplete && v.IsTyped() && !e.carriesFields(v)
	if index, ok := e.nodes[id]; ok && !own {
		return index
	}
	index := len(e.queue)
	if !own {
		e.nodes[id] = index
	}
	e.queue = append(e.queue, node{vertex: v, path: path, own: own, required: required, kind: kind, scalar: scalar})
	return index
}

func (e *exporter) write(n node) {
	e.out = append(e.out, `{"k":"`...)
	kind := n.kind
	if n.required && kind != access.Error {
		kind = access.Incomplete
	}
	e.out = append(append(e.out, kinds[kind]...), '"')
	path := n.path
	if canonical, known := n.vertex.Path(); known && !n.own && canonical != path {
		path = canonical
		e.text("p", path)
	}
	switch kind {
	case access.Incomplete:
		e.text("t", n.vertex.Constraint())
		e.missing(n, path)
		// A field that is not there may still come, as long as somebody gives values.
		if err := n.vertex.Err(); err != nil && code(err) == "cue-reference" {
			e.errors(n.vertex)
		}
	case access.Error:
		e.errors(n.vertex)
	case access.List, access.Struct:
	default:
		e.text("s", scalarText(kind, n.scalar))
	}
	e.fields(n.vertex, path)
	e.items(n.vertex, path)
	e.out = append(e.out, '}')
}

func (e *exporter) fields(v access.Vertex, path string) {
	first := true
	for _, a := range v.Arcs() {
		if a.Hidden || a.Definition && !e.follow[a.Label] {
			continue
		}
		e.separate(&first, `,"f":[`)
		e.use(a.Label, join(path, a.Label, false), a.Vertex, a.Required)
	}
	e.end(first)
}

func (e *exporter) items(v access.Vertex, path string) {
	first := true
	for i, element := range v.Elements() {
		e.separate(&first, `,"i":[`)
		label := itoa(i)
		e.use(label, join(path, label, true), element, false)
	}
	e.end(first)
}

func (e *exporter) separate(first *bool, open string) {
	if *first {
		e.out = append(e.out, open...)
	} else {
		e.out = append(e.out, ',')
	}
	*first = false
}

func (e *exporter) end(none bool) {
	if !none {
		e.out = append(e.out, ']')
	}
}

// use writes one use of a value. A bare scalar is written in place: most values are scalars, and nobody compares those by identity.
func (e *exporter) use(label, path string, v access.Vertex, required bool) {
	e.out = append(quote(append(e.out, '['), label), ',')
	kind, scalar := v.Kind()
	if isScalar(kind) && !required && !e.carriesFields(v) {
		e.out = append(quote(append(e.out, '['), kinds[kind]), ',')
		e.out = append(quote(e.out, scalarText(kind, scalar)), ']')
	} else {
		e.out = strconv.AppendInt(e.out, int64(e.node(v, path, required)), 10)
	}
	e.out = append(e.out, ',')
	e.writePlaces(v)
	e.out = append(e.out, ',')
	e.out = strconv.AppendInt(e.out, int64(e.texts.index(v.Doc())), 10)
	e.out = append(e.out, ',')
	e.out = strconv.AppendInt(e.out, int64(e.attributes.index(attributes(v))), 10)
	e.out = append(e.out, ']')
}

func isScalar(kind access.Kind) bool {
	return kind != access.Incomplete && kind != access.Error && kind != access.List && kind != access.Struct
}

// carriesFields: `{"text", #up: […]}` is a scalar with a definition.
func (e *exporter) carriesFields(v access.Vertex) bool {
	for _, a := range v.Arcs() {
		if e.follow[a.Label] {
			return true
		}
	}
	return false
}

func scalarText(kind access.Kind, text string) string {
	if kind == access.Bytes {
		return base64.StdEncoding.EncodeToString([]byte(text))
	}
	return text
}

func (e *exporter) writePlaces(v access.Vertex) {
	e.out = append(e.out, '[')
	for i, p := range e.places.of(v) {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.out = strconv.AppendInt(e.out, int64(e.files.index(p.File)), 10)
		e.out = strconv.AppendInt(append(e.out, ','), int64(p.Line), 10)
		e.out = strconv.AppendInt(append(e.out, ','), int64(p.Column), 10)
	}
	e.out = append(e.out, ']')
}

func (e *exporter) missing(n node, path string) {
	e.out = append(e.out, `,"m":[`...)
	for i, m := range lacking(n.vertex, path, n.required) {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.out = append(quote(append(e.out, '['), m.path), ',')
		e.out = append(quote(e.out, m.vertex.Constraint()), ',')
		e.writePlaces(m.vertex)
		e.out = append(e.out, ']')
	}
	e.out = append(e.out, ']')
}

func (e *exporter) errors(v access.Vertex) {
	e.out = append(e.out, `,"e":`...)
	e.out = append(e.out, encodeFindings(e.explain(findings(v.Err(), "cue-value", e.places.own)))...)
}

func (e *exporter) text(key, value string) {
	e.out = append(e.out, `,"`+key+`":`...)
	e.out = quote(e.out, value)
}

// attributes gives `[name, body]` pairs as JSON, "" for none.
func attributes(v access.Vertex) string {
	list := v.Attributes()
	if len(list) == 0 {
		return ""
	}
	out := []byte{'['}
	for i, a := range list {
		if i > 0 {
			out = append(out, ',')
		}
		name, body := a.Split()
		out = append(quote(append(out, '['), name), ',')
		out = append(quote(out, body), ']')
	}
	return string(append(out, ']'))
}
