// A way to look at the time while something is evaluated, added by cue-patch; see docs/decisions/long-evaluations.md.

package adt

// Tick is called now and then during an evaluation. Nil, as it is unless a program sets it, nothing is called.
var Tick func()

// ticks counts evaluated expressions.
var ticks uint32

// often: some thousand expressions are evaluated within a few milliseconds.
const often = 1 << 12

func tick() {
	ticks++
	if ticks%often == 0 && Tick != nil {
		Tick()
	}
}
