// Command shim is CUE as a WebAssembly reactor: requests in, answers out, both JSON. It knows files, values and paths, and
// nothing of what a workflow means. The host writes a request where `buffer` says, and reads the answer that `call` leaves.

package main

import (
	"encoding/json"
	"fmt"
	"runtime/debug"

	"cuelang.org/go/access"
)

func main() {}

var session Session

// answer handles one request. A panic inside CUE is an answer too: the host discards this instance afterwards.
func answer(request []byte) (response []byte) {
	defer func() {
		if p := recover(); p != nil {
			response = encode(Answer{Internal: fmt.Sprintf("%v\n%s", p, debug.Stack()), During: during()})
		}
	}()
	var r Request
	if err := json.Unmarshal(request, &r); err != nil {
		return encode(Answer{Internal: "request: " + err.Error()})
	}
	if wrong := r.check(); wrong != "" {
		return encode(Answer{Internal: "request: " + wrong})
	}
	switch r.Call {
	case "scan":
		return encode(session.scan(r))
	case "data":
		return encode(session.data(r))
	case "module":
		return encode(session.module(r))
	case "load", "show":
		return session.load(r)
	case "fill":
		return session.fill(r)
	case "format":
		return encode(session.format(r))
	case "deps":
		return encode(session.deps(r))
	case "doc":
		return encode(session.doc(r))
	case "prepare":
		return encode(session.prepare(r))
	}
	return encode(Answer{Internal: fmt.Sprintf("unknown call %q", r.Call)})
}

func during() []Position {
	if pos := access.Evaluating(); pos.IsValid() {
		return []Position{position(pos)}
	}
	return nil
}

func encode(a Answer) []byte {
	data, err := json.Marshal(a)
	if err != nil {
		return []byte(`{"internal":"answer cannot be encoded"}`)
	}
	return data
}
