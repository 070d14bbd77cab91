// Command bench-client solves one Definition many times over one connection, as a program that embeds BuildKit's Go client does, and
// prints how long each solve took. Only the benchmark uses it.
//
//	bench-client -addr ADDRESS -rounds N -out DIR [-oci-layout NAME=DIR] <DEFINITION
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
)

func main() {
	addr := flag.String("addr", "", "address of the daemon")
	rounds := flag.Int("rounds", 10, "how many solves")
	out := flag.String("out", "", "directory for the result")
	layout := flag.String("oci-layout", "", "NAME=DIR of an OCI layout that the Definition reads")
	flag.Parse()
	if err := run(*addr, *rounds, *out, *layout); err != nil {
		fmt.Fprintln(os.Stderr, "bench-client:", err)
		os.Exit(1)
	}
}

func run(addr string, rounds int, out, layout string) error {
	definition, err := llb.ReadFrom(os.Stdin)
	if err != nil {
		return err
	}
	stores := map[string]content.Store{}
	if name, dir, ok := strings.Cut(layout, "="); ok {
		if stores[name], err = local.NewStore(dir); err != nil {
			return err
		}
	}
	ctx := context.Background()
	c, err := client.New(ctx, addr)
	if err != nil {
		return err
	}
	defer c.Close()
	var times []float64
	for range rounds {
		begin := time.Now()
		if err := solve(ctx, c, definition, out, stores); err != nil {
			return err
		}
		times = append(times, float64(time.Since(begin).Microseconds())/1000)
	}
	return json.NewEncoder(io.Writer(os.Stdout)).Encode(times)
}

func solve(ctx context.Context, c *client.Client, definition *llb.Definition, out string, stores map[string]content.Store) error {
	status := make(chan *client.SolveStatus)
	read := make(chan struct{})
	go func() {
		for range status {
		}
		close(read)
	}()
	export := client.ExportEntry{Type: client.ExporterLocal, OutputDir: out}
	_, err := c.Solve(ctx, definition, client.SolveOpt{Exports: []client.ExportEntry{export}, OCIStores: stores}, status)
	<-read
	return err
}
