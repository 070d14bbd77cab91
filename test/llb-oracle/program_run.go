// Runs a program with client/llb.
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
)

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
