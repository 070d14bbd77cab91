// Programs: the operations of a user of client/llb, one after the other, each on the results of earlier ones. Twin of program.ts.
package main

import (
	"encoding/json"

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
