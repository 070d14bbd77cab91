// Cycles: which references lead from a value that contains itself back to it.

package main

import (
	"strings"

	"cuelang.org/go/access"
)

// explainCycle gives a finding about a structural cycle the references of the cycle, and the places they are written at.
func explainCycle(f Finding, root *access.Root, p placer) Finding {
	start, ok := find(root.Vertex(), f.Path)
	if !ok {
		return f
	}
	hops := cycle(start, f.Path)
	if len(hops) == 0 {
		f.At = p.of(start)
		return f
	}
	parts := make([]string, len(hops))
	for i, h := range hops {
		parts[i] = h.from + " refers to " + h.to
		for _, at := range p.of(h.vertex) {
			f.At = append(f.At, at)
		}
	}
	f.Hint = "Break the circle: refer to a part that does not contain the reference"
	f.Message = "Values contain each other in a cycle: " + strings.Join(parts, ", ")
	return f
}

// hop is one reference of the cycle.
type hop struct {
	from, to string
	vertex   access.Vertex
}

// cycle searches breadth first from the value where CUE found the cycle, along references and down the fields of what they
// refer to, for the shortest way to a value that contains the start.
func cycle(start access.Vertex, path string) []hop {
	type step struct {
		vertex access.Vertex
		path   string
		hops   []hop
	}
	queue := []step{{start, path, nil}}
	seen := map[string]bool{path: true}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for _, target := range s.vertex.Targets() {
			to, known := target.Path()
			if !known {
				continue
			}
			hops := append(append([]hop{}, s.hops...), hop{s.path, to, s.vertex})
			if contains(to, path) {
				return hops
			}
			if !seen[to] {
				seen[to] = true
				queue = append(queue, step{target, to, hops})
			}
		}
		if len(s.hops) == 0 {
			continue
		}
		for _, a := range s.vertex.Arcs() {
			if child := join(s.path, a.Label, false); !seen[child] {
				seen[child] = true
				queue = append(queue, step{a.Vertex, child, s.hops})
			}
		}
		for i, e := range s.vertex.Elements() {
			if child := join(s.path, itoa(i), true); !seen[child] {
				seen[child] = true
				queue = append(queue, step{e, child, s.hops})
			}
		}
	}
	return nil
}

// contains reports whether the value at outer is, or holds, the one at inner.
func contains(outer, inner string) bool {
	rest, ok := strings.CutPrefix(inner, outer)
	return ok && (outer == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}

// find follows a path down from v; it goes no deeper than the tree does.
func find(v access.Vertex, path string) (access.Vertex, bool) {
	at := ""
	for at != path {
		next, nextPath, ok := descend(v, at, path)
		if !ok {
			return v, false
		}
		v, at = next, nextPath
	}
	return v, true
}

func descend(v access.Vertex, at, path string) (access.Vertex, string, bool) {
	for _, a := range v.Arcs() {
		if child := join(at, a.Label, false); contains(child, path) {
			return a.Vertex, child, true
		}
	}
	for i, e := range v.Elements() {
		if child := join(at, itoa(i), true); contains(child, path) {
			return e, child, true
		}
	}
	return v, at, false
}
