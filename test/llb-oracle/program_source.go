// Sources of programs, by the options of client/llb.
package main

import (
	"fmt"

	"github.com/moby/buildkit/client/llb"
	"github.com/opencontainers/go-digest"
)

func (r *runner) source(in instruction, o sourceOptions) (llb.State, error) {
	common := r.constraints(o.opOptions)
	if o.UniqueID != "" {
		common = append(common, llb.LocalUniqueID(o.UniqueID))
	}
	switch in.Do {
	case "image":
		return imageState(in, o, common), nil
	case "local":
		return localState(in.Name, o, common), nil
	case "git":
		return gitState(in, o, common), nil
	case "http":
		return httpState(in.URL, o, common), nil
	case "ociLayout":
		opts := []llb.OCILayoutOption{llb.OCIStore(o.Session, o.Store)}
		for _, c := range common {
			opts = append(opts, c)
		}
		if o.LayerLimit != nil {
			opts = append(opts, llb.OCILayerLimit(*o.LayerLimit))
		}
		return llb.OCILayout(in.Ref, opts...), nil
	case "imageBlob", "ociLayoutBlob":
		var opts []llb.ImageBlobOption
		for _, c := range common {
			opts = append(opts, c)
		}
		for _, f := range o.fileInfo() {
			opts = append(opts, f)
		}
		if in.Do == "imageBlob" {
			return llb.ImageBlob(in.Ref, opts...), nil
		}
		return llb.OCILayoutBlob(in.Ref, append(opts, llb.ImageBlobOCIStore(o.Session, o.Store))...), nil
	}
	return llb.State{}, fmt.Errorf("unknown source %q", in.Do)
}

func imageState(in instruction, o sourceOptions, common []llb.ConstraintsOpt) llb.State {
	var opts []llb.ImageOption
	for _, c := range common {
		opts = append(opts, c)
	}
	switch o.ResolveMode {
	case "default":
		opts = append(opts, llb.ResolveModeDefault)
	case "pull":
		opts = append(opts, llb.ResolveModeForcePull)
	case "local":
		opts = append(opts, llb.ResolveModePreferLocal)
	}
	if o.Internal {
		opts = append(opts, llb.MarkImageInternal)
	}
	if o.LayerLimit != nil {
		opts = append(opts, llb.WithLayerLimit(*o.LayerLimit))
	}
	if o.Checksum != "" {
		opts = append(opts, llb.WithImageChecksum(digest.Digest(o.Checksum)))
	}
	if in.Resolve != nil {
		opts = append(opts, llb.WithMetaResolver(answerer{in.Resolve}), llb.ResolveDigest(o.ResolveDigest))
	}
	return llb.Image(in.Ref, opts...)
}

func localState(name string, o sourceOptions, common []llb.ConstraintsOpt) llb.State {
	opts := []llb.LocalOption{
		llb.IncludePatterns(o.Include), llb.ExcludePatterns(o.Exclude), llb.FollowPaths(o.FollowPaths),
		llb.SharedKeyHint(o.SharedKeyHint), llb.SessionID(o.Session),
	}
	for _, c := range common {
		opts = append(opts, c)
	}
	if o.Differ != nil {
		opts = append(opts, llb.Differ(llb.DiffType(o.Differ.Type), o.Differ.Required))
	}
	if o.MetadataOnly != nil {
		opts = append(opts, llb.MetadataOnlyTransfer(o.MetadataOnly.Except))
	}
	return llb.Local(name, opts...)
}

func gitState(in instruction, o sourceOptions, common []llb.ConstraintsOpt) llb.State {
	var opts []llb.GitOption
	for _, c := range common {
		opts = append(opts, c)
	}
	if o.Ref != "" {
		opts = append(opts, llb.GitRef(o.Ref))
	}
	if o.Subdir != "" {
		opts = append(opts, llb.GitSubDir(o.Subdir))
	}
	if o.KeepGitDir {
		opts = append(opts, llb.KeepGitDir())
	}
	if o.AuthToken != nil {
		opts = append(opts, llb.AuthTokenSecret(*o.AuthToken))
	}
	if o.AuthHeader != nil {
		opts = append(opts, llb.AuthHeaderSecret(*o.AuthHeader))
	}
	for _, hosts := range o.KnownHosts {
		opts = append(opts, llb.KnownSSHHosts(hosts))
	}
	if o.SSH != "" {
		opts = append(opts, llb.MountSSHSock(o.SSH))
	}
	if o.Checksum != "" {
		opts = append(opts, llb.GitChecksum(o.Checksum))
	}
	if o.SkipSubmodules {
		opts = append(opts, llb.GitSkipSubmodules())
	}
	if o.MTime != "" {
		opts = append(opts, llb.GitMTime(o.MTime))
	}
	if o.FetchByCommit {
		opts = append(opts, llb.GitFetchByCommit())
	}
	if o.Bundle != "" {
		opts = append(opts, llb.GitBundleURL(o.Bundle, llb.GitBundleOCIStore(o.BundleSession, o.BundleStore)))
	}
	if o.CheckoutBundle {
		opts = append(opts, llb.GitCheckoutBundle())
	}
	return llb.Git(in.URL, in.Fragment, opts...)
}

func httpState(url string, o sourceOptions, common []llb.ConstraintsOpt) llb.State {
	var opts []llb.HTTPOption
	for _, c := range common {
		opts = append(opts, c)
	}
	for _, f := range o.fileInfo() {
		opts = append(opts, f)
	}
	if o.Checksum != "" {
		opts = append(opts, llb.Checksum(digest.Digest(o.Checksum)))
	}
	if o.AuthHeader != nil {
		opts = append(opts, llb.AuthHeaderSecret(*o.AuthHeader))
	}
	if o.Accept != nil || o.UserAgent != nil {
		var header llb.HTTPHeader
		if o.Accept != nil {
			header.Accept = *o.Accept
		}
		if o.UserAgent != nil {
			header.UserAgent = *o.UserAgent
		}
		opts = append(opts, llb.Header(header))
	}
	if s := o.Signature; s != nil {
		opts = append(opts, llb.VerifyPGPSignature(llb.HTTPSignatureInfo{PubKey: []byte(s.PubKey), Signature: []byte(s.Signature)}))
	}
	return llb.HTTP(url, opts...)
}
