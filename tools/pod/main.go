// Serves as much of a Kubernetes API as `kubectl exec` asks for, for tests: pods whose containers are processes of this machine. The streams are
// served by the code that container runtimes serve them with. Prints its port; ends with its standard input.
//
// The pod is called `builder` and lies in the namespace `builds`. Its container `buildkitd` has what PATH has, `other` has nothing.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

const (
	namespace = "builds"
	pod       = "builder"
)

var containers = []string{"buildkitd", "other"}

type object = map[string]any

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	mux := http.NewServeMux()
	// What kubectl looks up the word "pods" in.
	mux.HandleFunc("GET /api", answer(object{"kind": "APIVersions", "versions": []string{"v1"}}))
	mux.HandleFunc("GET /apis", answer(object{"kind": "APIGroupList", "apiVersion": "v1", "groups": []object{}}))
	resource := object{"name": "pods", "singularName": "pod", "namespaced": true, "kind": "Pod", "verbs": []string{"get"}}
	mux.HandleFunc("GET /api/v1", answer(object{"kind": "APIResourceList", "groupVersion": "v1", "resources": []object{resource}}))
	// Asked where there is no such pod: which of the two is missing is told.
	mux.HandleFunc("GET /api/v1/namespaces/{namespace}", answer(object{"kind": "Namespace", "apiVersion": "v1"}))
	mux.HandleFunc("GET /api/v1/namespaces/{namespace}/pods/{pod}", known(answer(description())))
	// Older clients post, newer ones get.
	mux.HandleFunc("/api/v1/namespaces/{namespace}/pods/{pod}/exec", known(serveExec))
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	fail(http.Serve(listener, mux))
}

func description() object {
	named := []object{}
	for _, name := range containers {
		named = append(named, object{"name": name, "image": "example.org/" + name})
	}
	meta := object{"name": pod, "namespace": namespace, "uid": "1"}
	return object{"kind": "Pod", "apiVersion": "v1", "metadata": meta, "spec": object{"containers": named}, "status": object{"phase": "Running"}}
}

func answer(body object) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, body) }
}

func reply(w http.ResponseWriter, code int, body object) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

// Says as an API server that there is no such pod.
func known(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("namespace") == namespace && r.PathValue("pod") == pod {
			next(w, r)
			return
		}
		message := fmt.Sprintf("pods %q not found", r.PathValue("pod"))
		status := object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": "NotFound", "code": http.StatusNotFound}
		reply(w, http.StatusNotFound, status)
	}
}

func serveExec(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	asked := func(stream string) bool { return query.Get(stream) == "true" }
	streams := &remotecommand.Options{Stdin: asked("stdin"), Stdout: asked("stdout"), Stderr: asked("stderr"), TTY: asked("tty")}
	const idle, creation = time.Hour, 30 * time.Second
	protocols := remotecommand.SupportedStreamingProtocols
	remotecommand.ServeExec(w, r, processes{}, pod, "1", query.Get("container"), query["command"], streams, idle, creation, protocols)
}

// What a container runtime does for one pod.
type processes struct{}

func (processes) ExecInContainer(
	ctx context.Context, _, _, container string, command []string, in io.Reader, out, errs io.WriteCloser,
	_ bool, _ <-chan remotecommand.TerminalSize, _ time.Duration,
) error {
	process := exec.CommandContext(ctx, command[0], command[1:]...)
	if container != containers[0] {
		process.Err = fmt.Errorf("exec: %q: executable file not found in $PATH", command[0])
	}
	process.Stdout, process.Stderr = out, errs
	// Not handed over: a process that has ended would be waited for until its client says no more.
	stdin, err := process.StdinPipe()
	if err != nil {
		return err
	}
	if err := process.Start(); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(stdin, in)
		_ = stdin.Close()
	}()
	if err := process.Wait(); err != nil {
		if ended, ok := err.(*exec.ExitError); ok {
			return utilexec.CodeExitError{Err: err, Code: ended.ExitCode()}
		}
		return err
	}
	return nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
