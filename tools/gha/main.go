// Serves the cache protocol of GitHub Actions (version 1) on loopback, for tests: act's server, over a directory. Prints its URL.
package main

import (
	"fmt"
	"os"
	"os/signal"

	"github.com/nektos/act/pkg/artifactcache"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gha-cache DIRECTORY")
		os.Exit(2)
	}
	server, err := artifactcache.StartHandler(os.Args[1], "", "127.0.0.1", 0, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(server.ExternalURL())
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	<-stop
	_ = server.Close()
}
