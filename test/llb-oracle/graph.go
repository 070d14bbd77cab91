// The JSON form of a graph: compiler/graph/vertex.ts field by field, with references by position. Twin of test/llb-oracle/graph.ts.
package main

import (
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

type graph struct {
	Vertices      []vertex `json:"vertices"`
	Terminal      *ref     `json:"terminal"`
	Platform      platform `json:"platform"`
	LocalUniqueID string   `json:"localUniqueId"`
	Caps          []string `json:"caps"`
	// Instead of a graph: an image reference, a git URL, an owner or a platform to read.
	Reference *string   `json:"reference"`
	GitURL    *string   `json:"gitUrl"`
	Owner     *string   `json:"owner"`
	Normalize *platform `json:"normalize"`
	// Instead of vertices: the operations of a user (see program.go).
	Program *program `json:"program"`
}

// ref is an output of an earlier vertex; Dest names it where a vertex has several (execs: the mount's destination). nil is scratch.
type ref struct {
	Vertex int    `json:"vertex"`
	Dest   string `json:"dest"`
}

type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
}

func (p platform) spec() ocispecs.Platform {
	return ocispecs.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant}
}

type position struct {
	File   string `json:"file"`
	Line   int32  `json:"line"`
	Column int32  `json:"column"`
}

type meta struct {
	Name        string            `json:"name"`
	Component   string            `json:"component"`
	At          []position        `json:"at"`
	IgnoreCache bool              `json:"ignoreCache"`
	ExportCache *bool             `json:"exportCache"`
	Description map[string]string `json:"description"`
	Resources   *resources        `json:"resources"`
}

type resources struct {
	Memory     int64  `json:"memory,string"`
	MemorySwap int64  `json:"memorySwap,string"`
	CPUShares  uint64 `json:"cpuShares,string"`
	CPUPeriod  uint64 `json:"cpuPeriod,string"`
	CPUQuota   int64  `json:"cpuQuota,string"`
	CpusetCpus string `json:"cpusetCpus"`
	CpusetMems string `json:"cpusetMems"`
}

// vertex has the fields of all kinds.
type vertex struct {
	Kind          string    `json:"kind"`
	Meta          meta      `json:"meta"`
	WorkerFilters []string  `json:"workerFilters"`
	Platform      *platform `json:"platform"`

	// source
	Identifier string            `json:"identifier"`
	Attrs      map[string]string `json:"attrs"`
	Caps       []string          `json:"caps"`
	// Taken from the attributes.
	LocalUnique string `json:"-"`

	// exec
	Args           []string    `json:"args"`
	Env            [][2]string `json:"env"`
	Cwd            string      `json:"cwd"`
	User           string      `json:"user"`
	Hostname       string      `json:"hostname"`
	CgroupParent   string      `json:"cgroupParent"`
	ExtraHosts     []host      `json:"extraHosts"`
	Network        string      `json:"network"`
	Insecure       bool        `json:"insecure"`
	ValidExitCodes []int       `json:"validExitCodes"`
	Ulimits        []ulimit    `json:"ulimits"`
	Devices        []device    `json:"devices"`
	Proxy          *proxy      `json:"proxy"`
	SecretEnv      []secretEnv `json:"secretEnv"`
	Root           *ref        `json:"root"`
	RootReadonly   bool        `json:"rootReadonly"`
	Mounts         []mount     `json:"mounts"`

	// file
	Base    *ref         `json:"base"`
	Actions []fileAction `json:"actions"`

	// merge, diff, build
	Inputs   []*ref `json:"inputs"`
	Lower    *ref   `json:"lower"`
	Upper    *ref   `json:"upper"`
	From     *ref   `json:"from"`
	Filename string `json:"filename"`
}

type host struct {
	Host string `json:"host"`
	IP   string `json:"ip"`
}

type ulimit struct {
	Name string `json:"name"`
	Soft int64  `json:"soft"`
	Hard int64  `json:"hard"`
}

type device struct {
	Name     string `json:"name"`
	Optional bool   `json:"optional"`
}

type proxy struct {
	HTTP  string `json:"http"`
	HTTPS string `json:"https"`
	FTP   string `json:"ftp"`
	No    string `json:"no"`
	All   string `json:"all"`
}

type secretEnv struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Optional bool   `json:"optional"`
}

type mount struct {
	Kind         string `json:"kind"`
	Dest         string `json:"dest"`
	From         *ref   `json:"from"`
	Selector     string `json:"selector"`
	Readonly     bool   `json:"readonly"`
	Output       bool   `json:"output"`
	ContentCache string `json:"contentCache"`
	ID           string `json:"id"`
	Sharing      string `json:"sharing"`
	Size         int64  `json:"size"`
	UID          int    `json:"uid"`
	GID          int    `json:"gid"`
	Mode         int    `json:"mode"`
	Optional     bool   `json:"optional"`
}

type owner struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

type chown struct {
	User  *owner `json:"user"`
	Group *owner `json:"group"`
}

type fileAction struct {
	Kind      string `json:"kind"`
	Chown     *chown `json:"chown"`
	Timestamp *int64 `json:"timestamp,string"`
	Mode      *int   `json:"mode"`
	Path      string `json:"path"`

	// copy
	From                           *ref     `json:"from"`
	Src                            string   `json:"src"`
	Dest                           string   `json:"dest"`
	ModeStr                        string   `json:"modeStr"`
	FollowSymlinks                 bool     `json:"followSymlinks"`
	DirCopyContents                bool     `json:"dirCopyContents"`
	AttemptUnpack                  bool     `json:"attemptUnpack"`
	CreateDestPath                 bool     `json:"createDestPath"`
	AllowWildcard                  bool     `json:"allowWildcard"`
	AllowEmptyWildcard             bool     `json:"allowEmptyWildcard"`
	Include                        []string `json:"include"`
	Exclude                        []string `json:"exclude"`
	AlwaysReplaceExistingDestPaths bool     `json:"alwaysReplaceExistingDestPaths"`
	RequiredPaths                  []string `json:"requiredPaths"`

	// mkfile, mkdir, rm, symlink
	Data          []byte `json:"data"`
	MakeParents   bool   `json:"makeParents"`
	AllowNotFound bool   `json:"allowNotFound"`
	Oldpath       string `json:"oldpath"`
	Newpath       string `json:"newpath"`
}
