// Sources: the attributes of a graph are read back into the options that give them, so that the official builders write them anew.
package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/opencontainers/go-digest"
)

// attrs are taken out as they are used: what is left has no option.
type attrs map[string]string

func (a attrs) take(name string) (string, bool) {
	v, ok := a[name]
	delete(a, name)
	return v, ok
}

func source(v vertex) (llb.State, error) {
	a := attrs{}
	for k, val := range v.Attrs {
		a[k] = val
	}
	if unique, ok := a.take("local.unique"); ok {
		v.LocalUnique = unique
	}
	scheme, rest, ok := strings.Cut(v.Identifier, "://")
	if !ok {
		return llb.State{}, fmt.Errorf("no scheme in %q", v.Identifier)
	}
	opts := sourceConstraints(v)
	var st llb.State
	var err error
	switch scheme {
	case "docker-image":
		st, err = image(rest, a, opts)
	case "docker-image+blob", "oci-layout+blob":
		st = blob(scheme, rest, a, opts)
	case "oci-layout":
		st, err = ociLayout(rest, a, opts)
	case "local":
		st, err = local(rest, a, opts)
	case "git":
		st = git(rest, a, opts)
	case "http", "https":
		st, err = http(v.Identifier, a, opts)
	default:
		return llb.State{}, fmt.Errorf("unknown scheme %q", scheme)
	}
	if err == nil && len(a) > 0 {
		err = fmt.Errorf("no option for attributes %v", a)
	}
	return st, err
}

func sourceConstraints(v vertex) []llb.ConstraintsOpt {
	opts := constraints(v)
	if v.LocalUnique != "" {
		opts = append(opts, llb.LocalUniqueID(v.LocalUnique))
	}
	for _, c := range v.Caps {
		opts = append(opts, requireCap(apicaps.CapID(c)))
	}
	return opts
}

// requireCap reaches the metadata through an option that any constraint option is made of.
func requireCap(id apicaps.CapID) llb.ConstraintsOpt {
	return capOption{ConstraintsOpt: llb.WithDescription(nil), id: id}
}

type capOption struct {
	llb.ConstraintsOpt
	id apicaps.CapID
}

func (o capOption) add(c *llb.Constraints) {
	if c.Metadata.Caps == nil {
		c.Metadata.Caps = map[apicaps.CapID]bool{}
	}
	c.Metadata.Caps[o.id] = true
}

func (o capOption) SetConstraintsOption(c *llb.Constraints) { o.add(c) }
func (o capOption) SetLocalOption(i *llb.LocalInfo)         { o.add(&i.Constraints) }
func (o capOption) SetImageOption(i *llb.ImageInfo)         { o.add(&i.Constraints) }
func (o capOption) SetGitOption(i *llb.GitInfo)             { o.add(&i.Constraints) }
func (o capOption) SetHTTPOption(i *llb.HTTPInfo)           { o.add(&i.Constraints) }
func (o capOption) SetOCILayoutOption(i *llb.OCILayoutInfo) { o.add(&i.Constraints) }
func (o capOption) SetImageBlobOption(i *llb.ImageBlobInfo) { o.add(&i.Constraints) }

func image(name string, a attrs, opts []llb.ConstraintsOpt) (llb.State, error) {
	var o []llb.ImageOption
	for _, c := range opts {
		o = append(o, c)
	}
	if mode, ok := a.take("image.resolvemode"); ok {
		switch mode {
		case "pull":
			o = append(o, llb.ResolveModeForcePull)
		case "local":
			o = append(o, llb.ResolveModePreferLocal)
		default:
			return llb.State{}, fmt.Errorf("client/llb does not write resolve mode %q", mode)
		}
	}
	if record, ok := a.take("image.recordtype"); ok {
		o = append(o, recordType(record))
	}
	if limit, ok := a.take("image.layerlimit"); ok {
		n, err := strconv.Atoi(limit)
		if err != nil {
			return llb.State{}, err
		}
		o = append(o, llb.WithLayerLimit(n))
	}
	if sum, ok := a.take("image.checksum"); ok {
		o = append(o, llb.WithImageChecksum(digest.Digest(sum)))
	}
	return llb.Image(name, o...), nil
}

type recordType string

func (r recordType) SetImageOption(i *llb.ImageInfo) { i.RecordType = string(r) }

func blob(scheme, name string, a attrs, opts []llb.ConstraintsOpt) llb.State {
	var o []llb.ImageBlobOption
	for _, c := range opts {
		o = append(o, c)
	}
	for _, f := range fileInfo(a) {
		o = append(o, f)
	}
	if scheme == "docker-image+blob" {
		return llb.ImageBlob(name, o...)
	}
	session, _ := a.take("oci.session")
	store, _ := a.take("oci.store")
	return llb.OCILayoutBlob(name, append(o, llb.ImageBlobOCIStore(session, store))...)
}

func fileInfo(a attrs) []llb.FileInfoOption {
	var o []llb.FileInfoOption
	if name, ok := a.take("http.filename"); ok {
		o = append(o, llb.Filename(name))
	}
	if perm, ok := a.take("http.perm"); ok {
		mode, _ := strconv.ParseUint(perm, 8, 32)
		o = append(o, llb.Chmod(os.FileMode(mode)))
	}
	uid, hasUID := a.take("http.uid")
	gid, hasGID := a.take("http.gid")
	if hasUID || hasGID {
		u, _ := strconv.Atoi(uid)
		g, _ := strconv.Atoi(gid)
		o = append(o, llb.Chown(u, g))
	}
	return o
}

func ociLayout(name string, a attrs, opts []llb.ConstraintsOpt) (llb.State, error) {
	var o []llb.OCILayoutOption
	for _, c := range opts {
		o = append(o, c)
	}
	session, _ := a.take("oci.session")
	store, _ := a.take("oci.store")
	o = append(o, llb.OCIStore(session, store))
	if limit, ok := a.take("oci.layerlimit"); ok {
		n, err := strconv.Atoi(limit)
		if err != nil {
			return llb.State{}, err
		}
		o = append(o, llb.OCILayerLimit(n))
	}
	return llb.OCILayout(name, o...), nil
}

func local(name string, a attrs, opts []llb.ConstraintsOpt) (llb.State, error) {
	var o []llb.LocalOption
	for _, c := range opts {
		o = append(o, c)
	}
	for attr, option := range map[string]func([]string) llb.LocalOption{
		"local.includepattern":  llb.IncludePatterns,
		"local.excludepatterns": llb.ExcludePatterns,
		"local.followpaths":     llb.FollowPaths,
	} {
		patterns, err := list(a, attr)
		if err != nil {
			return llb.State{}, err
		}
		if patterns != nil {
			o = append(o, option(patterns))
		}
	}
	if id, ok := a.take("local.session"); ok {
		o = append(o, llb.SessionID(id))
	}
	if hint, ok := a.take("local.sharedkeyhint"); ok {
		o = append(o, llb.SharedKeyHint(hint))
	}
	if differ, ok := a.take("local.differ"); ok {
		// Whether it is required is said by the vertex's own capabilities.
		o = append(o, llb.Differ(llb.DiffType(differ), false))
	}
	if _, ok := a.take("local.metadatatransfer"); ok {
		except, err := list(a, "local.metadatatransferexclude")
		if err != nil {
			return llb.State{}, err
		}
		o = append(o, llb.MetadataOnlyTransfer(except))
	}
	return llb.Local(name, o...), nil
}

func list(a attrs, name string) ([]string, error) {
	text, ok := a.take(name)
	if !ok {
		return nil, nil
	}
	var out []string
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}

func git(id string, a attrs, opts []llb.ConstraintsOpt) llb.State {
	var o []llb.GitOption
	for _, c := range opts {
		o = append(o, c)
	}
	remote, _ := a.take("git.fullurl")
	_, fragment, _ := strings.Cut(id, "#")
	if _, ok := a.take("git.keepgitdir"); ok {
		o = append(o, llb.KeepGitDir())
	}
	// Only what differs from the defaults was asked for: setting a default name would ask for a capability.
	if token, ok := a.take("git.authtokensecret"); !ok || token != llb.GitAuthTokenKey {
		o = append(o, llb.AuthTokenSecret(token))
	}
	if header, ok := a.take("git.authheadersecret"); !ok || header != llb.GitAuthHeaderKey {
		o = append(o, llb.AuthHeaderSecret(header))
	}
	if hosts, ok := a.take("git.knownsshhosts"); ok {
		o = append(o, llb.KnownSSHHosts(hosts))
	}
	if sock, ok := a.take("git.mountsshsock"); ok {
		o = append(o, llb.MountSSHSock(sock))
	}
	if sum, ok := a.take("git.checksum"); ok {
		o = append(o, llb.GitChecksum(sum))
	}
	if _, ok := a.take("git.skipsubmodules"); ok {
		o = append(o, llb.GitSkipSubmodules())
	}
	if mtime, ok := a.take("git.mtime"); ok {
		o = append(o, llb.GitMTime(mtime))
	}
	if _, ok := a.take("git.fetchbycommit"); ok {
		o = append(o, llb.GitFetchByCommit())
	}
	if bundle, ok := a.take("git.bundle"); ok {
		session, _ := a.take("oci.session")
		store, _ := a.take("oci.store")
		o = append(o, llb.GitBundleURL(bundle, llb.GitBundleOCIStore(session, store)))
	}
	if _, ok := a.take("git.checkoutbundle"); ok {
		o = append(o, llb.GitCheckoutBundle())
	}
	return llb.Git(remote, fragment, o...)
}

func http(id string, a attrs, opts []llb.ConstraintsOpt) (llb.State, error) {
	if _, err := url.Parse(id); err != nil {
		return llb.State{}, err
	}
	var o []llb.HTTPOption
	for _, c := range opts {
		o = append(o, c)
	}
	for _, f := range fileInfo(a) {
		o = append(o, f)
	}
	if sum, ok := a.take("http.checksum"); ok {
		o = append(o, llb.Checksum(digest.Digest(sum)))
	}
	if secret, ok := a.take("http.authheadersecret"); ok {
		o = append(o, llb.AuthHeaderSecret(secret))
	}
	accept, hasAccept := a.take("http.header.accept")
	agent, hasAgent := a.take("http.header.user-agent")
	if hasAccept || hasAgent {
		o = append(o, llb.Header(llb.HTTPHeader{Accept: accept, UserAgent: agent}))
	}
	key, hasKey := a.take("http.sig.pubkey")
	signature, hasSignature := a.take("http.sig.signature")
	if hasKey || hasSignature {
		o = append(o, llb.VerifyPGPSignature(llb.HTTPSignatureInfo{PubKey: []byte(key), Signature: []byte(signature)}))
	}
	return llb.HTTP(id, o...), nil
}
