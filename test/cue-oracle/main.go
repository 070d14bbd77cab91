// Command cue-oracle loads instances with CUE's own loader: one JSON request per line in, one JSON answer per line out.
// The test beside it compares what it says with what runtime/cue reads.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/load"
)

// request names a directory, or files of one to take as an instance.
type request struct {
	Dir   string   `json:"dir"`
	Files []string `json:"files"`
	Tags  []string `json:"tags"`
	// Vars lets @tag(var=…) have the variables of this machine that do not change.
	Vars bool `json:"vars"`
}

type answer struct {
	Value json.RawMessage `json:"value,omitempty"`
	Error string          `json:"error,omitempty"`
	// Crashed: CUE's loader itself panicked.
	Crashed bool `json:"crashed,omitempty"`
}

func main() {
	// Nothing is ever asked of a registry.
	os.Setenv("CUE_REGISTRY", "none")
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var r request
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			panic(err)
		}
		if err := out.Encode(r.answer()); err != nil {
			panic(err)
		}
	}
}

// answer loads and evaluates. CUE's loader panics on some trees.
func (r request) answer() (out answer) {
	defer func() {
		if p := recover(); p != nil {
			out = answer{Error: fmt.Sprintf("panic: %v", p), Crashed: true}
		}
	}()
	config := &load.Config{Dir: r.Dir, Tags: r.Tags}
	if r.Vars {
		all := load.DefaultTagVars()
		config.TagVars = map[string]load.TagVar{"os": all["os"], "arch": all["arch"], "username": all["username"], "hostname": all["hostname"]}
	}
	args := r.Files
	if len(args) == 0 {
		args = []string{"."}
	}
	instances := load.Instances(args, config)
	if len(instances) != 1 {
		return answer{Error: "more than one instance"}
	}
	if err := instances[0].Err; err != nil {
		return answer{Error: errors.Details(err, nil)}
	}
	value := cuecontext.New().BuildInstance(instances[0])
	if err := value.Validate(cue.Concrete(true)); err != nil {
		return answer{Error: errors.Details(err, nil)}
	}
	data, err := value.MarshalJSON()
	if err != nil {
		return answer{Error: errors.Details(err, nil)}
	}
	return answer{Value: data}
}
