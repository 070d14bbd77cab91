// What the host calls in the WebAssembly module.

package main

import (
	"time"
	"unsafe"

	"cuelang.org/go/access"
)

var request, response []byte

// Looking at the clock is a call of the host, which may end an evaluation there. Go's runtime alone may not look for seconds.
func init() {
	access.OnTick(func() { _ = time.Now() })
}

// buffer makes room for a request of n bytes and says where.
//
//go:wasmexport buffer
func buffer(n int32) unsafe.Pointer {
	request = make([]byte, n)
	return unsafe.Pointer(unsafe.SliceData(request))
}

// call answers the request in the buffer and returns the length of the answer.
//
//go:wasmexport call
func call() int32 {
	response = answer(request)
	request = nil
	return int32(len(response))
}

// answered says where the last answer lies; it stays until the next call.
//
//go:wasmexport answered
func answered() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(response)) }
