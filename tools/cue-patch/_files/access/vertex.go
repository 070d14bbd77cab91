// Vertices: a value where it is used, with what it shares, what it holds and where it was written.

package access

import (
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/internal/core/adt"
	"cuelang.org/go/internal/core/export"
)

// Vertex is one use of a value: a field, a list element or the root.
type Vertex struct {
	root *Root
	use  *adt.Vertex
}

// Arc is a field or an element of a vertex.
type Arc struct {
	// Label as CUE writes it: `name`, `#up`, `"a-b"`; empty for an element.
	Label      string
	Definition bool
	Hidden     bool
	// Required: a field that is only demanded (`name!: string`), not given.
	Required bool
	Vertex   Vertex
}

// Identity is equal for two uses that share one structure, and can be a key of a map.
func (v Vertex) Identity() any { return v.use.DerefValue() }

// final is the vertex that holds the value, with defaults taken.
func (v Vertex) final() *adt.Vertex { return v.use.Default() }

// Arcs lists fields in the order of their declaration; optional fields that are not given are left out.
// A choice that is still open has the definitions that are the same whatever is chosen: `{"a" | "b", #up: […]}` has `#up`.
func (v Vertex) Arcs() []Arc {
	final := v.final()
	if choice, ok := final.BaseValue.(*adt.Disjunction); ok && len(final.Arcs) == 0 {
		return v.common(choice)
	}
	return v.arcsOf(final)
}

func (v Vertex) common(choice *adt.Disjunction) []Arc {
	var arcs []Arc
	for i, value := range choice.Values {
		one, ok := value.(*adt.Vertex)
		if !ok {
			return nil
		}
		found := map[string]*adt.Vertex{}
		var definitions []Arc
		for _, a := range v.arcsOf(one) {
			if a.Definition && !a.Hidden {
				found[a.Label] = a.Vertex.use
				definitions = append(definitions, a)
			}
		}
		if i == 0 {
			arcs = definitions
			continue
		}
		arcs = slices.DeleteFunc(arcs, func(a Arc) bool {
			same := found[a.Label]
			return same == nil || !adt.Equal(v.root.ctx, a.Vertex.use, same, 0)
		})
	}
	return arcs
}

func (v Vertex) arcsOf(final *adt.Vertex) []Arc {
	var arcs []Arc
	for _, a := range final.Arcs {
		switch {
		case a.Label.IsInt(), a.Label.IsLet():
			continue
		case a.ArcType != adt.ArcMember && a.ArcType != adt.ArcRequired:
			continue
		}
		arcs = append(arcs, Arc{
			Label:      a.Label.SelectorString(v.root.ctx),
			Definition: a.Label.IsDef(),
			Hidden:     a.Label.IsHidden(),
			Required:   a.ArcType == adt.ArcRequired,
			Vertex:     Vertex{v.root, a},
		})
	}
	return arcs
}

// Labels lists the fields that a vertex has, and the optional ones that it may have; fields that it must not have are left out.
func (v Vertex) Labels() []string {
	var labels []string
	for _, a := range v.use.DerefValue().Arcs {
		if a.Label.IsInt() || a.Label.IsLet() || a.Label.IsHidden() || a.ArcType == adt.ArcNotPresent {
			continue
		}
		if b := a.Bottom(); b != nil && b.Code != adt.IncompleteError && a.ArcType == adt.ArcMember {
			continue
		}
		labels = append(labels, a.Label.SelectorString(v.root.ctx))
	}
	return labels
}

// Elements lists the elements of a list.
func (v Vertex) Elements() []Vertex {
	var elements []Vertex
	for _, a := range v.final().Arcs {
		if a.Label.IsInt() && a.ArcType == adt.ArcMember {
			elements = append(elements, Vertex{v.root, a})
		}
	}
	return elements
}

// Kind of a value as far as it is known.
type Kind int

const (
	Incomplete Kind = iota
	Error
	Null
	Bool
	Int
	Number
	String
	Bytes
	List
	Struct
)

// Kind says what the value is, and for a scalar gives it as text (bytes as they are).
func (v Vertex) Kind() (kind Kind, text string) {
	switch x := v.final().Value().(type) {
	case *adt.Bottom:
		if x.IsIncomplete() {
			return Incomplete, ""
		}
		return Error, ""
	case *adt.Null:
		return Null, "null"
	case *adt.Bool:
		return Bool, strconv.FormatBool(x.B)
	case *adt.Num:
		if x.K&adt.IntKind != 0 {
			return Int, x.X.Text('f')
		}
		return Number, x.X.String()
	case *adt.String:
		return String, x.Str
	case *adt.Bytes:
		return Bytes, string(x.B)
	case *adt.Vertex:
		switch x.BaseValue.(type) {
		case *adt.ListMarker:
			return List, ""
		case *adt.StructMarker:
			return Struct, ""
		}
	}
	return Incomplete, ""
}

// Err is the error of the value itself, nil when there is none; that of an incomplete value says why it is.
func (v Vertex) Err() error {
	if b := v.final().Bottom(); b != nil && b.Err != nil {
		return b.Err
	}
	return nil
}

// Constraint is the value so far as CUE text, e.g. `string` or `>0 & int`.
func (v Vertex) Constraint() string {
	final := v.final()
	switch x := final.Value().(type) {
	case *adt.Bottom:
		if len(final.Arcs) > 0 {
			return "{...}"
		}
		return v.kindOfExpression()
	case *adt.Vertex:
		return "{...}"
	default:
		expr, err := export.Value(v.root.runtime, "", x)
		if err != nil {
			return final.Kind().String()
		}
		text, ferr := format.Node(expr)
		if ferr != nil {
			return final.Kind().String()
		}
		return string(text)
	}
}

// kindOfExpression is the kind that an expression will have when it can be computed, `_` when nothing is known.
func (v Vertex) kindOfExpression() string {
	for c := range v.use.DerefValue().LeafConjuncts() {
		switch x := c.Expr().(type) {
		case *adt.Interpolation:
			return x.K.String()
		case *adt.StructLit:
			return "{...}"
		case *adt.ListLit:
			return "[...]"
		case *adt.BasicType:
			return x.K.String()
		}
	}
	return "_"
}

// Path is where the value is declared; empty unless known, as for values made inside an expression.
// Values of an imported package start with its import path in quotes.
func (v Vertex) Path() (path string, known bool) { return v.pathOf(v.use.DerefValue()) }

// UsePath is the path of the use itself: it differs from Path when the value is a plain reference.
func (v Vertex) UsePath() (path string, known bool) { return v.pathOf(v.use) }

func (v Vertex) pathOf(owner *adt.Vertex) (path string, known bool) {
	if owner == v.root.vertex {
		return "", true
	}
	top := owner
	for top.Parent != nil {
		top = top.Parent
	}
	var b strings.Builder
	if top != v.root.vertex {
		instance := v.root.runtime.GetInstanceFromNode(top)
		if instance == nil || instance.ImportPath == "" {
			return "", false
		}
		b.WriteString(strconv.Quote(instance.ImportPath))
	}
	for _, f := range owner.Path() {
		if f.IsLet() {
			return "", false
		}
		Append(&b, f.SelectorString(v.root.ctx), f.IsInt())
	}
	return b.String(), true
}

// Append adds a label to a path.
func Append(b *strings.Builder, label string, element bool) {
	switch {
	case element:
		b.WriteString("[" + label + "]")
	case b.Len() > 0:
		b.WriteString("." + label)
	default:
		b.WriteString(label)
	}
}

// Place is where one conjunct of a value is written.
type Place struct {
	Pos token.Pos
	// FromDefinition: it came in through a definition that the value is declared with.
	FromDefinition bool
}

// Places lists where the use is written, one per conjunct.
func (v Vertex) Places() []Place {
	var places []Place
	for c := range v.use.LeafConjuncts() {
		source := c.Field().Source()
		if source == nil || !source.Pos().IsValid() {
			continue
		}
		places = append(places, Place{source.Pos(), c.CloseInfo.FromDef})
	}
	return places
}

// Doc is the documentation of the use, one paragraph per comment.
func (v Vertex) Doc() string {
	var texts []string
	for _, group := range export.ExtractDoc(v.use) {
		texts = append(texts, strings.TrimSpace(group.Text()))
	}
	return strings.Join(texts, "\n\n")
}

// Attributes lists the field attributes of the use.
func (v Vertex) Attributes() []*ast.Attribute { return export.ExtractFieldAttrs(v.use) }

// InDefinition reports whether the use lies below a definition.
func (v Vertex) InDefinition() bool {
	for n := v.use; n != nil; n = n.Parent {
		if n.Label.IsDef() {
			return true
		}
	}
	return false
}

// Demanded finds a field that is only demanded (`name!: string`), not given, in the structs around the use, the nearest first.
func (v Vertex) Demanded(label string) (field Vertex, found bool) {
	for n := v.use.Parent; n != nil; n = n.Parent {
		for _, a := range n.DerefValue().Arcs {
			if a.ArcType == adt.ArcRequired && a.Label.SelectorString(v.root.ctx) == label {
				return Vertex{v.root, a}, true
			}
		}
	}
	return Vertex{}, false
}

// IsTyped reports whether a use outside of definitions shares the structure of a definition, as `name` does in `name: #Name`.
func (v Vertex) IsTyped() bool {
	owner := Vertex{v.root, v.use.DerefValue()}
	return owner.use != v.use && owner.InDefinition() && !v.InDefinition()
}

// TakesAnyField reports whether the value says itself that it may have any field: by `...`, or by being declared as `_`.
func (v Vertex) TakesAnyField() bool {
	final := v.use.DerefValue()
	if final.HasEllipsis {
		return true
	}
	for c := range final.LeafConjuncts() {
		if _, ok := c.Expr().(*adt.Top); ok {
			return true
		}
	}
	return false
}
