// Builds graphs with BuildKit's own client library and prints what it marshals: the truth that compiler/llb is compared with.
// Reads one JSON graph per line (see graph.go), writes one JSON answer per line.
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/containerd/platforms"
	dockerref "github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	apicapspb "github.com/moby/buildkit/util/apicaps/pb"
	"github.com/moby/buildkit/util/gitutil"
	"github.com/opencontainers/go-digest"
)

// answer is what one graph becomes. Ops are in the order of the Definition, the terminal one last.
type answer struct {
	Error  string     `json:"error,omitempty"`
	Ops    []op       `json:"ops"`
	Source *pb.Source `json:"source"`
	// Answers to lines that ask for something else than a graph.
	Reference string    `json:"reference,omitempty"`
	GitURL    *gitURL   `json:"gitUrl,omitempty"`
	Chown     *chown    `json:"chown,omitempty"`
	Platform  *platform `json:"platform,omitempty"`
}

type op struct {
	Digest   string         `json:"digest"`
	Bytes    string         `json:"bytes"`
	Inputs   []input        `json:"inputs"`
	Metadata *pb.OpMetadata `json:"metadata"`
}

type input struct {
	Digest string `json:"digest"`
	Index  int64  `json:"index"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			if err := encoder.Encode(answerTo(line)); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
		if err != nil {
			return
		}
	}
}

func answerTo(line []byte) *answer {
	var g graph
	if err := json.Unmarshal(line, &g); err != nil {
		return &answer{Error: "read the graph: " + err.Error()}
	}
	switch {
	case g.Reference != nil:
		return reference(*g.Reference)
	case g.GitURL != nil:
		return gitURLOf(*g.GitURL)
	case g.Owner != nil:
		return ownerOf(*g.Owner)
	case g.Normalize != nil:
		p := platforms.Normalize(g.Normalize.spec())
		return &answer{Platform: &platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant}}
	}
	a, err := answerFor(&g)
	if err != nil {
		return &answer{Error: err.Error()}
	}
	return a
}

func answerFor(g *graph) (*answer, error) {
	if g.Program != nil {
		return runProgram(g.Program)
	}
	return marshal(g)
}

func marshal(g *graph) (*answer, error) {
	b := &builder{graph: g, states: make([]map[string]llb.State, len(g.Vertices))}
	for i, v := range g.Vertices {
		states, err := b.build(v)
		if err != nil {
			return nil, fmt.Errorf("vertex %d: %w", i, err)
		}
		b.states[i] = states
	}
	terminal, err := b.state(g.Terminal)
	if err != nil {
		return nil, err
	}
	opts := []llb.ConstraintsOpt{llb.Platform(g.Platform.spec()), llb.LocalUniqueID(g.LocalUniqueID)}
	if g.Caps != nil {
		opts = append(opts, llb.WithCaps(capSet(g.Caps)))
	}
	return answerOf(terminal, opts)
}

// answerOf is what a state marshals to.
func answerOf(st llb.State, opts []llb.ConstraintsOpt) (*answer, error) {
	def, err := st.Marshal(context.Background(), opts...)
	if err != nil {
		return nil, err
	}
	a := &answer{Source: def.Source}
	for _, dt := range def.Def {
		var decoded pb.Op
		if err := decoded.Unmarshal(dt); err != nil {
			return nil, err
		}
		dgst := digest.FromBytes(dt)
		meta := def.Metadata[dgst]
		o := op{Digest: dgst.String(), Bytes: hex.EncodeToString(dt), Metadata: meta.ToPB()}
		for _, in := range decoded.Inputs {
			o.Inputs = append(o.Inputs, input{Digest: in.Digest, Index: in.Index})
		}
		a.Ops = append(a.Ops, o)
	}
	return a, nil
}

// capSet is what a daemon with these capabilities would announce.
func capSet(ids []string) apicaps.CapSet {
	var all []*apicapspb.APICap
	for _, id := range ids {
		all = append(all, &apicapspb.APICap{ID: id, Enabled: true})
	}
	return pb.Caps.CapSet(all)
}

// reference completes an image reference as llb.Image does.
func reference(text string) *answer {
	named, err := dockerref.ParseNormalizedNamed(text)
	if err != nil {
		return &answer{Error: err.Error()}
	}
	return &answer{Reference: dockerref.TagNameOnly(named).String()}
}

type gitURL struct {
	Scheme string `json:"scheme"`
	Host   string `json:"host"`
	Path   string `json:"path"`
	Remote string `json:"remote"`
}

// gitURLOf reads a URL as llb.Git does.
func gitURLOf(text string) *answer {
	u, err := gitutil.ParseURL(text)
	if errors.Is(err, gitutil.ErrUnknownProtocol) {
		u, err = gitutil.ParseURL("https://" + text)
	}
	if err != nil {
		return &answer{Error: err.Error()}
	}
	return &answer{GitURL: &gitURL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, Remote: u.Remote}}
}

// ownerOf reads "user:group" as llb.WithUser does.
func ownerOf(text string) *answer {
	opt, ok := llb.WithUser(text).(llb.ChownOpt)
	if !ok {
		return &answer{Error: "llb.WithUser gives no ChownOpt"}
	}
	convert := func(u *llb.UserOpt) *owner {
		if u == nil {
			return nil
		}
		// As the wire has it.
		return &owner{ID: int(uint32(u.UID)), Name: u.Name}
	}
	return &answer{Chown: &chown{User: convert(opt.User), Group: convert(opt.Group)}}
}
