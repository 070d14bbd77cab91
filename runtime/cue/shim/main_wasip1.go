// What the host calls in the WebAssembly module.

package main

import (
	"runtime/debug"
	"runtime/metrics"
	"time"
	"unsafe"

	"cuelang.org/go/access"
)

var request, response []byte

// Looking at the clock is a call of the host, which may end an evaluation there. Go's runtime alone may not look for seconds.
func init() {
	access.OnTick(func() {
		_ = time.Now()
		saveMemory()
	})
}

// Most evaluations end before garbage is collected: the host lets memory grow to eleven times of what the snapshot has, some 200 MB.
// One that needs more is a large one. From then on less is wasted, as there may not be much left.
const gcPercent = 400

var (
	collections = []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	before      uint64
	looked      bool
	saving      bool
)

func saveMemory() {
	if saving {
		return
	}
	metrics.Read(collections)
	now := collections[0].Value.Uint64()
	if looked && now > before {
		debug.SetGCPercent(gcPercent)
		saving = true
	}
	before, looked = now, true
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
	looked = false
	response = answer(request)
	request = nil
	return int32(len(response))
}

// answered says where the last answer lies; it stays until the next call.
//
//go:wasmexport answered
func answered() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(response)) }
