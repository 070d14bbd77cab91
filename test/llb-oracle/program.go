// Programs: the operations of a user of client/llb, one after the other, each on the results of earlier ones. Twin of program.ts.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/llbbuild"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

type program struct {
	Files []sourceFile  `json:"files"`
	Steps []instruction `json:"steps"`
	// Position of the step that is marshalled.
	Result   int          `json:"result"`
	Defaults *opOptions   `json:"defaults"`
	Platform fullPlatform `json:"platform"`
	UniqueID string       `json:"localUniqueId"`
	Caps     []string     `json:"caps"`
}

type sourceFile struct {
	Filename string `json:"filename"`
	Language string `json:"language"`
	Data     []byte `json:"data"`
}

type fullPlatform struct {
	platform
	OSVersion  string   `json:"osVersion"`
	OSFeatures []string `json:"osFeatures"`
}

func (p fullPlatform) full() ocispecs.Platform {
	return ocispecs.Platform{
		OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, OSVersion: p.OSVersion, OSFeatures: p.OSFeatures,
	}
}

type opOptions struct {
	Name        string            `json:"name"`
	Description map[string]string `json:"description"`
	IgnoreCache bool              `json:"ignoreCache"`
	ExportCache *bool             `json:"exportCache"`
	Group       *group            `json:"group"`
	Resources   *resources        `json:"resources"`
	Require     []string          `json:"require"`
	Locations   []location        `json:"locations"`
	Platform    *fullPlatform     `json:"platform"`
}

type group struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Weak bool   `json:"weak"`
}

type location struct {
	File  int   `json:"file"`
	First int32 `json:"first"`
	Last  int32 `json:"last"`
}

// instruction has the fields of all kinds.
type instruction struct {
	Do string `json:"do"`
	// Positions of earlier steps.
	State  int   `json:"state"`
	Other  int   `json:"other"`
	States []int `json:"states"`

	Options json.RawMessage `json:"options"`
	Ref     string          `json:"ref"`
	Name    string          `json:"name"`
	URL     string          `json:"url"`
	// git: `ref:subdir`.
	Fragment string          `json:"fragment"`
	Resolve  *resolveAnswer  `json:"resolve"`
	Change   *change         `json:"change"`
	Args     []string        `json:"args"`
	Shlex    string          `json:"shlex"`
	Mounts   []programMount  `json:"mounts"`
	Dest     string          `json:"dest"`
	Actions  []programAction `json:"actions"`
	ID       string          `json:"id"`
	// passthrough: which inputs are outputs, and which output is the result.
	Outputs []bool `json:"outputs"`
	Pick    int    `json:"pick"`
}

type resolveAnswer struct {
	Config string `json:"config"`
	Digest string `json:"digest"`
	Ref    string `json:"ref"`
}

type change struct {
	Kind     string        `json:"kind"`
	Name     string        `json:"name"`
	Value    string        `json:"value"`
	Soft     int64         `json:"soft"`
	Hard     int64         `json:"hard"`
	Platform *fullPlatform `json:"platform"`
}

type programMount struct {
	mount
	// Position of a step; -1 is none.
	Source int `json:"source"`
}

type programAction struct {
	fileAction
	Source int `json:"source"`
	// Actions on the source, in place of the source itself; those with the same number are one object.
	Bound   []programAction `json:"bound"`
	BoundID int             `json:"boundId"`
	Owner   string          `json:"owner"`
}

type runOptions struct {
	opOptions
	Env            [][2]string `json:"env"`
	Dir            *string     `json:"dir"`
	User           *string     `json:"user"`
	Hostname       *string     `json:"hostname"`
	Network        string      `json:"network"`
	Security       string      `json:"security"`
	CgroupParent   *string     `json:"cgroupParent"`
	ExtraHosts     []host      `json:"extraHosts"`
	Ulimits        []ulimit    `json:"ulimits"`
	SecretEnv      []secretEnv `json:"secretEnv"`
	Devices        []device    `json:"devices"`
	ReadonlyRoot   bool        `json:"readonlyRoot"`
	ValidExitCodes []int       `json:"validExitCodes"`
	Proxy          *proxy      `json:"proxy"`
}

type sourceOptions struct {
	opOptions
	// image
	ResolveMode   string `json:"resolveMode"`
	LayerLimit    *int   `json:"layerLimit"`
	Checksum      string `json:"checksum"`
	Internal      bool   `json:"internal"`
	ResolveDigest bool   `json:"resolveDigest"`
	// local
	Include       []string `json:"include"`
	Exclude       []string `json:"exclude"`
	FollowPaths   []string `json:"followPaths"`
	SharedKeyHint string   `json:"sharedKeyHint"`
	Differ        *struct {
		Type     string `json:"type"`
		Required bool   `json:"required"`
	} `json:"differ"`
	MetadataOnly *struct {
		Except []string `json:"except"`
	} `json:"metadataOnly"`
	Session  string `json:"session"`
	UniqueID string `json:"uniqueId"`
	// git
	Ref            string   `json:"ref"`
	Subdir         string   `json:"subdir"`
	KeepGitDir     bool     `json:"keepGitDir"`
	AuthToken      *string  `json:"authToken"`
	AuthHeader     *string  `json:"authHeader"`
	KnownHosts     []string `json:"knownHosts"`
	SSH            string   `json:"ssh"`
	SkipSubmodules bool     `json:"skipSubmodules"`
	MTime          string   `json:"mtime"`
	FetchByCommit  bool     `json:"fetchByCommit"`
	Bundle         string   `json:"bundle"`
	BundleSession  string   `json:"bundleSession"`
	BundleStore    string   `json:"bundleStore"`
	CheckoutBundle bool     `json:"checkoutBundle"`
	// http and blobs
	Filename  *string `json:"filename"`
	Mode      *int    `json:"mode"`
	UID       int     `json:"uid"`
	GID       int     `json:"gid"`
	Accept    *string `json:"accept"`
	UserAgent *string `json:"userAgent"`
	Signature *struct {
		PubKey    string `json:"pubKey"`
		Signature string `json:"signature"`
	} `json:"signature"`
	// oci
	Store string `json:"store"`
}

// runner keeps what each step gave: a state, and for commands the mounts too.
type runner struct {
	program *program
	files   []*llb.SourceMap
	states  []llb.State
	execs   map[int]llb.ExecState
	bound   map[int]llb.CopyInput
}

func runProgram(p *program) (*answer, error) {
	r := &runner{program: p, execs: map[int]llb.ExecState{}}
	for _, f := range p.Files {
		r.files = append(r.files, llb.NewSourceMap(nil, f.Filename, f.Language, f.Data))
	}
	for i, in := range p.Steps {
		st, err := r.step(i, in)
		if err != nil {
			return nil, fmt.Errorf("step %d (%s): %w", i, in.Do, err)
		}
		r.states = append(r.states, st)
	}
	return answerOf(r.states[p.Result], r.marshalOptions())
}

func (r *runner) marshalOptions() []llb.ConstraintsOpt {
	opts := []llb.ConstraintsOpt{llb.Platform(r.program.Platform.full()), llb.LocalUniqueID(r.program.UniqueID)}
	if r.program.Caps != nil {
		opts = append(opts, llb.WithCaps(capSet(r.program.Caps)))
	}
	if r.program.Defaults != nil {
		opts = append(opts, r.constraints(*r.program.Defaults)...)
	}
	return opts
}

func (r *runner) constraints(o opOptions) []llb.ConstraintsOpt {
	var opts []llb.ConstraintsOpt
	if o.Description != nil {
		opts = append(opts, llb.WithDescription(o.Description))
	}
	if o.Name != "" {
		opts = append(opts, llb.WithCustomName(o.Name))
	}
	if o.IgnoreCache {
		opts = append(opts, llb.IgnoreCache)
	}
	if e := o.ExportCache; e != nil && *e {
		opts = append(opts, llb.WithExportCache())
	} else if e != nil {
		opts = append(opts, llb.WithoutExportCache())
	}
	if g := o.Group; g != nil {
		opts = append(opts, llb.ProgressGroup(g.ID, g.Name, g.Weak))
	}
	if l := o.Resources; l != nil {
		opts = append(opts, llb.MemoryLimit(l.Memory), llb.MemorySwapLimit(l.MemorySwap), llb.CPUShares(l.CPUShares),
			llb.CPUPeriod(l.CPUPeriod), llb.CPUQuota(l.CPUQuota), llb.CpusetCpus(l.CpusetCpus), llb.CpusetMems(l.CpusetMems))
	}
	if len(o.Require) > 0 {
		opts = append(opts, llb.Require(o.Require...))
	}
	for _, l := range o.Locations {
		opts = append(opts, r.files[l.File].Location([]*pb.Range{{Start: &pb.Position{Line: l.First}, End: &pb.Position{Line: l.Last}}}))
	}
	if o.Platform != nil {
		opts = append(opts, llb.Platform(o.Platform.full()))
	}
	return opts
}

func (r *runner) step(position int, in instruction) (llb.State, error) {
	switch in.Do {
	case "scratch":
		return llb.Scratch(), nil
	case "image", "local", "git", "http", "ociLayout", "imageBlob", "ociLayoutBlob":
		var o sourceOptions
		if err := decode(in.Options, &o); err != nil {
			return llb.State{}, err
		}
		return r.source(in, o)
	case "change":
		return r.change(r.states[in.State], in)
	case "async":
		return r.states[in.State].Async(func(_ context.Context, st llb.State, _ *llb.Constraints) (llb.State, error) {
			return r.change(st, in)
		}), nil
	case "run":
		return r.run(position, in)
	case "mount":
		e := r.execs[in.State]
		return e.GetMount(in.Dest), nil
	case "definition":
		return r.definition(r.states[in.State])
	}
	var o opOptions
	if err := decode(in.Options, &o); err != nil {
		return llb.State{}, err
	}
	return r.combine(in, r.constraints(o))
}

func (r *runner) combine(in instruction, opts []llb.ConstraintsOpt) (llb.State, error) {
	var states []llb.State
	for _, i := range in.States {
		states = append(states, r.states[i])
	}
	switch in.Do {
	case "file":
		r.bound = map[int]llb.CopyInput{}
		chain, err := r.chain(in.Actions)
		return r.states[in.State].File(chain, opts...), err
	case "merge":
		return llb.Merge(states, opts...), nil
	case "diff":
		return llb.Diff(r.states[in.State], r.states[in.Other], opts...), nil
	case "build":
		build := []llbbuild.BuildOption{llbbuild.WithFilename(in.Name)}
		for _, o := range opts {
			build = append(build, llbbuild.WithConstraints(o))
		}
		return r.states[in.State].With(llbbuild.Build(build...)), nil
	case "requires":
		return r.states[in.State].Requires(in.ID, states...), nil
	case "passthrough":
		var inputs []llb.PassthroughInput
		for i, st := range states {
			inputs = append(inputs, llb.PassthroughInput{State: st, Output: in.Outputs[i]})
		}
		return llb.NewState(llb.NewPassthroughOp(in.ID, inputs, opts...).OutputAt(in.Pick)), nil
	}
	return llb.State{}, fmt.Errorf("unknown step %q", in.Do)
}

func decode(options json.RawMessage, into any) error {
	if len(options) == 0 {
		return nil
	}
	return json.Unmarshal(options, into)
}

// definition marshals a state and takes the result for one that somebody else made.
func (r *runner) definition(st llb.State) (llb.State, error) {
	def, err := st.Marshal(context.Background(), r.marshalOptions()...)
	if err != nil {
		return llb.State{}, err
	}
	if len(def.Def) == 0 {
		return llb.Scratch(), nil
	}
	op, err := llb.NewDefinitionOp(def.ToPB())
	if err != nil {
		return llb.State{}, err
	}
	return llb.NewState(op.Output()), nil
}

func (r *runner) change(st llb.State, in instruction) (llb.State, error) {
	c := in.Change
	switch c.Kind {
	case "env":
		return st.AddEnv(c.Name, c.Value), nil
	case "dir":
		return st.Dir(c.Value), nil
	case "user":
		return st.User(c.Value), nil
	case "hostname":
		return st.Hostname(c.Value), nil
	case "platform":
		return st.Platform(c.Platform.full()), nil
	case "network":
		return st.Network(networks[c.Value]), nil
	case "security":
		return st.Security(securities[c.Value]), nil
	case "cgroupParent":
		return st.WithCgroupParent(c.Value), nil
	case "extraHost":
		return st.AddExtraHost(c.Name, net.ParseIP(c.Value)), nil
	case "ulimit":
		return st.AddUlimit(llb.UlimitName(c.Name), c.Soft, c.Hard), nil
	case "imageConfig":
		return st.WithImageConfig([]byte(c.Value))
	case "reset":
		return st.Reset(r.states[in.Other]), nil
	}
	return llb.State{}, fmt.Errorf("unknown change %q", c.Kind)
}

var networks = map[string]pb.NetMode{"sandbox": llb.NetModeSandbox, "host": llb.NetModeHost, "none": llb.NetModeNone}
var securities = map[string]pb.SecurityMode{"sandbox": llb.SecurityModeSandbox, "insecure": llb.SecurityModeInsecure}

// answerer is an ImageMetaResolver that says what the program wants.
type answerer struct{ answer *resolveAnswer }

func (a answerer) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	if a.answer.Ref != "" {
		ref = a.answer.Ref
	}
	return ref, digest.Digest(a.answer.Digest), []byte(a.answer.Config), nil
}

func (r *runner) chain(actions []programAction) (*llb.FileAction, error) {
	var chain *llb.FileAction
	for _, a := range actions {
		if a.Kind != "copy" {
			next, err := addAction(chain, a.withOwner(), llb.State{})
			if err != nil {
				return nil, err
			}
			chain = next
			continue
		}
		input, err := r.copyInput(a)
		if err != nil {
			return nil, err
		}
		info := copyInfo(a.withOwner())
		if chain == nil {
			chain = llb.Copy(input, a.Src, a.Dest, info)
		} else {
			chain = chain.Copy(input, a.Src, a.Dest, info)
		}
	}
	return chain, nil
}

func (r *runner) copyInput(a programAction) (llb.CopyInput, error) {
	if len(a.Bound) == 0 {
		return r.states[a.Source], nil
	}
	if known, ok := r.bound[a.BoundID]; ok {
		return known, nil
	}
	chain, err := r.chain(a.Bound)
	if err != nil {
		return nil, err
	}
	input := chain.WithState(r.states[a.Source])
	r.bound[a.BoundID] = input
	return input, nil
}

// withOwner is the action with its owner as client/llb reads it.
func (a programAction) withOwner() fileAction {
	f := a.fileAction
	if a.Owner == "" {
		return f
	}
	opt := llb.WithUser(a.Owner).(llb.ChownOpt)
	convert := func(u *llb.UserOpt) *owner {
		if u == nil {
			return nil
		}
		return &owner{ID: u.UID, Name: u.Name}
	}
	f.Chown = &chown{User: convert(opt.User), Group: convert(opt.Group)}
	return f
}

func (r *runner) run(position int, in instruction) (llb.State, error) {
	var o runOptions
	if err := decode(in.Options, &o); err != nil {
		return llb.State{}, err
	}
	opts := []llb.RunOption{llb.Args(in.Args)}
	if in.Shlex != "" {
		opts = []llb.RunOption{llb.Shlex(in.Shlex)}
	}
	opts = append(opts, o.stateOptions()...)
	for _, c := range r.constraints(o.opOptions) {
		opts = append(opts, c)
	}
	opts = append(opts, execOptions(vertex{
		ValidExitCodes: o.ValidExitCodes, Devices: o.Devices, Proxy: o.Proxy, SecretEnv: o.SecretEnv, RootReadonly: o.ReadonlyRoot,
	})...)
	for _, m := range in.Mounts {
		from := llb.Scratch()
		if m.Source >= 0 {
			from = r.states[m.Source]
		}
		opt, err := mountOption(m.mount, from)
		if err != nil {
			return llb.State{}, err
		}
		opts = append(opts, opt)
	}
	r.execs[position] = r.states[in.State].Run(opts...)
	return r.execs[position].Root(), nil
}

func (o runOptions) stateOptions() []llb.RunOption {
	var opts []llb.StateOption
	for _, e := range o.Env {
		opts = append(opts, llb.AddEnv(e[0], e[1]))
	}
	if o.Dir != nil {
		opts = append(opts, llb.Dir(*o.Dir))
	}
	if o.User != nil {
		opts = append(opts, llb.User(*o.User))
	}
	if o.Hostname != nil {
		opts = append(opts, llb.Hostname(*o.Hostname))
	}
	if o.Network != "" {
		opts = append(opts, llb.Network(networks[o.Network]))
	}
	if o.Security != "" {
		opts = append(opts, llb.Security(securities[o.Security]))
	}
	run := []llb.RunOption{llb.With(opts...)}
	if o.CgroupParent != nil {
		run = append(run, llb.WithCgroupParent(*o.CgroupParent))
	}
	for _, h := range o.ExtraHosts {
		run = append(run, llb.AddExtraHost(h.Host, net.ParseIP(h.IP)))
	}
	for _, u := range o.Ulimits {
		run = append(run, llb.AddUlimit(llb.UlimitName(u.Name), u.Soft, u.Hard))
	}
	return run
}

func (o sourceOptions) fileInfo() []llb.FileInfoOption {
	var opts []llb.FileInfoOption
	if o.Filename != nil {
		opts = append(opts, llb.Filename(*o.Filename))
	}
	if o.Mode != nil {
		opts = append(opts, llb.Chmod(os.FileMode(*o.Mode)))
	}
	return append(opts, llb.Chown(o.UID, o.GID))
}
