// When a closed place may share the structure of an open value, added by cue-patch; see docs/decisions/cue-structure-sharing.md.

package adt

// ShareBelow holds the labels of definitions below which references are shared although the definition is closed and
// the value referred to is not. Empty, as it is unless a program sets it before it evaluates anything, nothing changes.
var ShareBelow = map[string]bool{}

// mayShareOpen reports whether n may share arc although n is closed recursively and arc is not.
func (n *nodeContext) mayShareOpen(arc *Vertex) bool {
	if len(ShareBelow) == 0 {
		return false
	}
	for v := n.node; v != nil; v = v.Parent {
		if v.Label.IsDef() && ShareBelow[v.Label.SelectorString(n.ctx)] {
			return true
		}
	}
	return false
}
