// Preparing: compile library packages ahead of time, so that a snapshot of this program has them ready.

package main

import (
	"runtime"
	"slices"

	"cuelang.org/go/access"
	"cuelang.org/go/cue"
	"cuelang.org/go/cue/build"
)

// prepared is a context that has compiled some packages. A package of a load that is the same in all that counts is not built again.
type prepared struct {
	ctx       *cue.Context
	follow    []string
	packages  []Package
	instances map[int]*build.Instance
}

// prepare compiles packages for the next load, keeps their files parsed for the next scan, and leaves no garbage behind.
func (s *Session) prepare(r Request) Answer {
	access.ShareBelow(r.Follow)
	*s = Session{}
	ready := &prepared{ctx: access.NewContext(embeddedBeside), follow: r.Follow, packages: r.Packages}
	l := newLoader(s, r.Packages)
	for index := range r.Packages {
		instance := l.instance(index)
		if l.err == nil {
			l.err = instance.Err
		}
		if l.err != nil {
			return Answer{Findings: findings(l.err, "cue-syntax", nil)}
		}
		pkg, err := access.Compile(ready.ctx, instance)
		if err == nil {
			err = pkg.Evaluate().Value().Validate()
		}
		if err != nil {
			return Answer{Findings: findings(err, "cue-value", nil)}
		}
	}
	ready.instances = l.done
	for _, p := range r.Packages {
		if answer := s.scan(Request{Files: p.Files, Version: p.Version}); len(answer.Findings) > 0 {
			return answer
		}
	}
	s.prepared = ready
	// Twice: what has a finalizer goes only the second time.
	runtime.GC()
	runtime.GC()
	return Answer{}
}

// takePrepared gives what is prepared, once, or a new context.
func (s *Session) takePrepared(follow []string) *prepared {
	ready := s.prepared
	s.prepared = nil
	if ready == nil || !slices.Equal(ready.follow, follow) {
		return &prepared{ctx: access.NewContext(embeddedBeside)}
	}
	return ready
}

// matching finds the packages that are prepared, by index of the given ones.
func (p *prepared) matching(packages []Package) map[int]*build.Instance {
	found := map[int]*build.Instance{}
	for index := range packages {
		for i := range p.packages {
			if p.same(i, packages, index) {
				found[index] = p.instances[i]
			}
		}
	}
	return found
}

// same tells whether package i of the prepared ones is what a load means, with all it imports. Packages do not import in circles.
func (p *prepared) same(i int, packages []Package, index int) bool {
	ours, theirs := p.packages[i], packages[index]
	if ours.ImportPath != theirs.ImportPath || ours.Name != theirs.Name || ours.Own != theirs.Own || ours.Version != theirs.Version ||
		ours.Module != theirs.Module {
		return false
	}
	if !slices.EqualFunc(ours.Files, theirs.Files, sameFile) || len(ours.Imports) != len(theirs.Imports) {
		return false
	}
	for path, imported := range ours.Imports {
		other, ok := theirs.Imports[path]
		if !ok || !p.same(imported, packages, other) {
			return false
		}
	}
	return true
}

// sameFile: a file that embeds others is never the same.
func sameFile(a, b File) bool {
	return a.Name == b.Name && a.Text == b.Text && len(a.Embedded)+len(b.Embedded) == 0
}
