// Embedded files: what the host has read for the @embed attributes of a file.

package main

import "cuelang.org/go/access"

// directory is what lies beside one CUE file, as far as that embeds it.
type directory []Embedded

// embeddedBeside finds what the file of a name embeds, in the session's last load.
func embeddedBeside(file string) access.Directory { return session.embedded[file] }

func (d directory) Files() []string {
	var paths []string
	for _, e := range d {
		paths = append(paths, e.Path)
	}
	return paths
}

func (d directory) Kind(path string) string {
	for _, e := range d {
		if e.Path == path {
			return e.Kind
		}
	}
	return "none"
}

func (d directory) Read(path string) (data []byte, shown string, ok bool) {
	for _, e := range d {
		if e.Path == path && e.Kind == "file" {
			return e.Data, e.Name, true
		}
	}
	return nil, "", false
}
