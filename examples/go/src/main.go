// Command hello greets, and says what Go people say.
package main

import (
	"fmt"

	"rsc.io/quote"
)

// Greeting is what a person of this name hears.
func Greeting(name string) string { return "Hello, " + name }

func main() { fmt.Println(Greeting("Go") + ". " + quote.Go()) }
