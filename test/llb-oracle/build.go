// Vertices → states of client/llb, by its public options only.
package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/llbbuild"
	"github.com/moby/buildkit/solver/pb"
)

type builder struct {
	graph *graph
	// States of the vertices built so far: of an exec by mount destination, of all others under "".
	states []map[string]llb.State
}

// state is a plain state on an output: nothing of what made it (environment, directory, platform) is inherited.
func (b *builder) state(r *ref) (llb.State, error) {
	if r == nil {
		return llb.Scratch(), nil
	}
	st, ok := b.states[r.Vertex][r.Dest]
	if !ok {
		return llb.State{}, fmt.Errorf("vertex %d has no output %q", r.Vertex, r.Dest)
	}
	return llb.NewState(st.Output()), nil
}

func (b *builder) build(v vertex) (map[string]llb.State, error) {
	if v.Kind == "exec" {
		return b.exec(v)
	}
	st, err := b.single(v)
	if err != nil {
		return nil, err
	}
	return map[string]llb.State{"": st}, nil
}

func (b *builder) single(v vertex) (llb.State, error) {
	switch v.Kind {
	case "source":
		return source(v)
	case "file":
		return b.file(v)
	case "merge":
		var inputs []llb.State
		for _, r := range v.Inputs {
			st, err := b.state(r)
			if err != nil {
				return llb.State{}, err
			}
			inputs = append(inputs, st)
		}
		return llb.Merge(inputs, constraints(v)...), nil
	case "diff":
		lower, err := b.state(v.Lower)
		if err != nil {
			return llb.State{}, err
		}
		upper, err := b.state(v.Upper)
		if err != nil {
			return llb.State{}, err
		}
		// llb.Diff drops the op when lower is scratch; the op itself is what is compared.
		var c llb.Constraints
		for _, o := range constraints(v) {
			o.SetConstraintsOption(&c)
		}
		return llb.NewState(llb.NewDiff(lower, upper, c).Output()), nil
	case "build":
		st, err := b.state(v.From)
		if err != nil {
			return llb.State{}, err
		}
		opts := []llbbuild.BuildOption{llbbuild.WithFilename(v.Filename)}
		for _, o := range constraints(v) {
			opts = append(opts, llbbuild.WithConstraints(o))
		}
		return st.With(llbbuild.Build(opts...)), nil
	}
	return llb.State{}, fmt.Errorf("unknown kind %q", v.Kind)
}

func constraints(v vertex) []llb.ConstraintsOpt {
	var opts []llb.ConstraintsOpt
	if v.Platform != nil {
		opts = append(opts, llb.Platform(v.Platform.spec()))
	}
	if len(v.WorkerFilters) > 0 {
		opts = append(opts, llb.Require(v.WorkerFilters...))
	}
	if v.Meta.Name != "" {
		opts = append(opts, llb.WithCustomName(v.Meta.Name))
	}
	if len(v.Meta.Description) > 0 {
		opts = append(opts, llb.WithDescription(v.Meta.Description))
	}
	if v.Meta.Component != "" {
		opts = append(opts, llb.ProgressGroup(v.Meta.Component, v.Meta.Component, false))
	}
	if v.Meta.IgnoreCache {
		opts = append(opts, llb.IgnoreCache)
	}
	if e := v.Meta.ExportCache; e != nil && *e {
		opts = append(opts, llb.WithExportCache())
	} else if e != nil {
		opts = append(opts, llb.WithoutExportCache())
	}
	if r := v.Meta.Resources; r != nil {
		opts = append(opts, llb.WithLinuxResources(llb.LinuxResources{
			Memory: r.Memory, MemorySwap: r.MemorySwap, CPUShares: r.CPUShares, CPUPeriod: r.CPUPeriod, CPUQuota: r.CPUQuota,
			CpusetCpus: r.CpusetCpus, CpusetMems: r.CpusetMems,
		}))
	}
	for _, at := range v.Meta.At {
		place := &pb.Position{Line: at.Line, Character: at.Column}
		language := ""
		if strings.HasSuffix(at.File, ".cue") {
			language = "CUE"
		}
		opts = append(opts, llb.NewSourceMap(nil, at.File, language, nil).Location([]*pb.Range{{Start: place, End: place}}))
	}
	return opts
}

func (b *builder) exec(v vertex) (map[string]llb.State, error) {
	st, err := b.state(v.Root)
	if err != nil {
		return nil, err
	}
	for _, e := range v.Env {
		st = st.AddEnv(e[0], e[1])
	}
	st = st.Dir(v.Cwd).User(v.User).Hostname(v.Hostname).WithCgroupParent(v.CgroupParent)
	for _, h := range v.ExtraHosts {
		st = st.AddExtraHost(h.Host, net.ParseIP(h.IP))
	}
	for _, u := range v.Ulimits {
		st = st.AddUlimit(llb.UlimitName(u.Name), u.Soft, u.Hard)
	}
	st = st.Network(map[string]pb.NetMode{"sandbox": llb.NetModeSandbox, "host": llb.NetModeHost, "none": llb.NetModeNone}[v.Network])
	if v.Insecure {
		st = st.Security(llb.SecurityModeInsecure)
	}
	opts := []llb.RunOption{llb.Args(v.Args)}
	for _, o := range constraints(v) {
		opts = append(opts, o)
	}
	opts = append(opts, execOptions(v)...)
	dests := []string{}
	if !v.RootReadonly {
		dests = append(dests, "/")
	}
	for _, m := range v.Mounts {
		from, err := b.state(m.From)
		if err != nil {
			return nil, err
		}
		opt, err := mountOption(m, from)
		if err != nil {
			return nil, err
		}
		opts = append(opts, opt)
		if m.Kind == "bind" && m.Output && !m.Readonly {
			dests = append(dests, m.Dest)
		}
	}
	run := st.Run(opts...)
	states := map[string]llb.State{}
	for _, dest := range dests {
		states[dest] = run.GetMount(dest)
	}
	return states, nil
}

func execOptions(v vertex) []llb.RunOption {
	var opts []llb.RunOption
	if len(v.ValidExitCodes) > 0 {
		opts = append(opts, llb.ValidExitCodes(v.ValidExitCodes...))
	}
	for _, d := range v.Devices {
		o := []llb.CDIDeviceOption{llb.CDIDeviceName(d.Name)}
		if d.Optional {
			o = append(o, llb.CDIDeviceOptional)
		}
		opts = append(opts, llb.AddCDIDevice(o...))
	}
	if p := v.Proxy; p != nil {
		opts = append(opts, llb.WithProxy(llb.ProxyEnv{HTTPProxy: p.HTTP, HTTPSProxy: p.HTTPS, FTPProxy: p.FTP, NoProxy: p.No, AllProxy: p.All}))
	}
	for _, s := range v.SecretEnv {
		o := []llb.SecretOption{llb.SecretAsEnvName(s.Name)}
		if s.Optional {
			o = append(o, llb.SecretOptional)
		}
		opts = append(opts, llb.AddSecretWithDest(s.ID, nil, o...))
	}
	if v.RootReadonly {
		opts = append(opts, llb.ReadonlyRootFS())
	}
	return opts
}

func mountOption(m mount, from llb.State) (llb.RunOption, error) {
	switch m.Kind {
	case "secret":
		o := []llb.SecretOption{llb.SecretID(m.ID), llb.SecretFileOpt(m.UID, m.GID, m.Mode)}
		if m.Optional {
			o = append(o, llb.SecretOptional)
		}
		return llb.AddSecret(m.Dest, o...), nil
	case "ssh":
		o := []llb.SSHOption{llb.SSHID(m.ID), llb.SSHSocketOpt(m.Dest, m.UID, m.GID, m.Mode)}
		if m.Optional {
			o = append(o, llb.SSHOptional)
		}
		return llb.AddSSHSocket(o...), nil
	}
	var o []llb.MountOption
	if m.Selector != "" {
		o = append(o, llb.SourcePath(m.Selector))
	}
	if m.Readonly {
		o = append(o, llb.Readonly)
	}
	switch m.Kind {
	case "bind":
		if !m.Output {
			o = append(o, llb.ForceNoOutput)
		}
	case "cache":
		sharing := map[string]llb.CacheMountSharingMode{"shared": llb.CacheMountShared, "private": llb.CacheMountPrivate, "locked": llb.CacheMountLocked}
		o = append(o, llb.AsPersistentCacheDir(m.ID, sharing[m.Sharing]))
	case "tmpfs":
		o = append(o, llb.Tmpfs(llb.TmpfsSize(m.Size)))
	default:
		return nil, fmt.Errorf("unknown mount %q", m.Kind)
	}
	switch m.ContentCache {
	case "on":
		o = append(o, llb.ContentCache(llb.MountContentCacheOn))
	case "off":
		o = append(o, llb.ContentCache(llb.MountContentCacheOff))
	}
	return llb.AddMount(m.Dest, from, o...), nil
}

func (b *builder) file(v vertex) (llb.State, error) {
	base, err := b.state(v.Base)
	if err != nil {
		return llb.State{}, err
	}
	var chain *llb.FileAction
	for _, a := range v.Actions {
		var from llb.State
		if a.Kind == "copy" {
			if from, err = b.state(a.From); err != nil {
				return llb.State{}, err
			}
		}
		if chain, err = addAction(chain, a, from); err != nil {
			return llb.State{}, err
		}
	}
	return base.File(chain, constraints(v)...), nil
}

// addAction appends to a chain; a nil one starts it.
func addAction(chain *llb.FileAction, a fileAction, from llb.State) (*llb.FileAction, error) {
	mode := func() os.FileMode { return os.FileMode(*a.Mode) }
	switch a.Kind {
	case "copy":
		if chain == nil {
			return llb.Copy(from, a.Src, a.Dest, copyInfo(a)), nil
		}
		return chain.Copy(from, a.Src, a.Dest, copyInfo(a)), nil
	case "mkfile":
		info := &llb.MkfileInfo{ChownOpt: a.chown(), CreatedTime: a.time()}
		if chain == nil {
			return llb.Mkfile(a.Path, mode(), a.Data, info), nil
		}
		return chain.Mkfile(a.Path, mode(), a.Data, info), nil
	case "mkdir":
		info := &llb.MkdirInfo{MakeParents: a.MakeParents, ChownOpt: a.chown(), CreatedTime: a.time()}
		if chain == nil {
			return llb.Mkdir(a.Path, mode(), info), nil
		}
		return chain.Mkdir(a.Path, mode(), info), nil
	case "rm":
		info := &llb.RmInfo{AllowNotFound: a.AllowNotFound, AllowWildcard: a.AllowWildcard}
		if chain == nil {
			return llb.Rm(a.Path, info), nil
		}
		return chain.Rm(a.Path, info), nil
	case "symlink":
		info := &llb.SymlinkInfo{ChownOpt: a.chown(), CreatedTime: a.time()}
		if chain == nil {
			return llb.Symlink(a.Oldpath, a.Newpath, info), nil
		}
		return chain.Symlink(a.Oldpath, a.Newpath, info), nil
	}
	return nil, fmt.Errorf("unknown action %q", a.Kind)
}

func copyInfo(a fileAction) *llb.CopyInfo {
	info := &llb.CopyInfo{
		FollowSymlinks: a.FollowSymlinks, CopyDirContentsOnly: a.DirCopyContents, IncludePatterns: a.Include, ExcludePatterns: a.Exclude,
		RequiredPaths: a.RequiredPaths, AttemptUnpack: a.AttemptUnpack, CreateDestPath: a.CreateDestPath, AllowWildcard: a.AllowWildcard,
		AllowEmptyWildcard: a.AllowEmptyWildcard, ChownOpt: a.chown(), CreatedTime: a.time(),
		AlwaysReplaceExistingDestPaths: a.AlwaysReplaceExistingDestPaths,
	}
	if a.ModeStr != "" {
		info.Mode = &llb.ChmodOpt{ModeStr: a.ModeStr}
	} else if a.Mode != nil {
		info.Mode = &llb.ChmodOpt{Mode: os.FileMode(*a.Mode)}
	}
	return info
}

func (a fileAction) time() *time.Time {
	if a.Timestamp == nil {
		return nil
	}
	t := time.Unix(0, *a.Timestamp)
	return &t
}

func (a fileAction) chown() *llb.ChownOpt {
	if a.Chown == nil {
		return nil
	}
	user := func(o *owner) *llb.UserOpt {
		if o == nil {
			return nil
		}
		return &llb.UserOpt{UID: o.ID, Name: o.Name}
	}
	return &llb.ChownOpt{User: user(a.Chown.User), Group: user(a.Chown.Group)}
}
