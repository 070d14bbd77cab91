// Holds the greeting to what people hear.
package main

import "testing"

func TestGreeting(t *testing.T) {
	if got := Greeting("Ada"); got != "Hello, Ada" {
		t.Fatalf("got %q", got)
	}
}
