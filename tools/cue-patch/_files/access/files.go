// Files: what a file says about itself before it is built: conditions, attributes, values of tags.

package access

import (
	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/internal"
	"cuelang.org/go/internal/buildattr"
	"cuelang.org/go/internal/cli"
	"cuelang.org/go/internal/core/runtime"
)

// ShouldBuild tells by @if and @ignore whether a file belongs to its package. isSet is asked for each tag that @if names.
func ShouldBuild(file *ast.File, isSet func(tag string) bool) (bool, errors.Error) {
	ok, at, err := buildattr.ShouldBuildFile(file, isSet)
	if err == nil || at == nil {
		return ok, err
	}
	// CUE's own finding often has no place, or one inside of the condition.
	format, args := err.Msg()
	return ok, errors.Newf(at.Pos(), format, args...)
}

// Attribute is an attribute taken apart.
type Attribute struct {
	Pos    token.Pos
	parsed *internal.Attr
}

// ParseAttribute takes an attribute apart.
func ParseAttribute(a *ast.Attribute) (Attribute, errors.Error) {
	parsed := internal.ParseAttr(a)
	return Attribute{a.Pos(), parsed}, parsed.Err
}

// First is the first argument, without its key's meaning.
func (a Attribute) First() string {
	text, _ := a.parsed.String(0)
	return text
}

// Lookup finds `key=value` among the arguments from the given one on.
func (a Attribute) Lookup(from int, key string) (string, bool) {
	value, found, err := a.parsed.Lookup(from, key)
	return value, found && err == nil
}

// Flag finds an argument that is a bare word.
func (a Attribute) Flag(name string) bool {
	found, _ := a.parsed.Flag(0, name)
	return found
}

// TagValue reads the text that a tag is given as a value of a kind.
func TagValue(pos token.Pos, name, text string, kind cue.Kind) (ast.Expr, errors.Error) {
	return cli.ParseValue(pos, name, text, kind)
}

// Embeds lists the @embed attributes of a file, when its @extern says that it has some.
func Embeds(file *ast.File) ([]Attribute, errors.Error) {
	attrs, err := runtime.ExternAttrsForFile(file)
	if err != nil || attrs.TopLevel[embedKind] == nil {
		return nil, err
	}
	var found []Attribute
	for a := range attrs.Body {
		if a.Attr.Name == embedKind && a.Attr.Err == nil {
			found = append(found, Attribute{a.Attr.Pos, a.Attr})
		}
	}
	return found, nil
}
