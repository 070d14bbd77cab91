// Checks files of Kubernetes objects as an API server does, for tests: unknown fields, defaults, and the server's own validation. Prints what is
// wrong with each object, and how many it has looked at.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/api/validation/path"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/apps"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	"k8s.io/kubernetes/pkg/apis/batch"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/batch/cronjob"
	"k8s.io/kubernetes/pkg/registry/batch/job"
	"k8s.io/kubernetes/pkg/registry/core/configmap"
	"k8s.io/kubernetes/pkg/registry/core/persistentvolumeclaim"
	"k8s.io/kubernetes/pkg/registry/core/service"
)

func main() {
	documents := yaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	seen, wrong := 0, 0
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fail(err)
		}
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		seen++
		for _, problem := range check(document) {
			wrong++
			fmt.Println(problem)
		}
	}
	if wrong > 0 {
		os.Exit(1)
	}
	fmt.Printf("%d objects are valid\n", seen)
}

var decoder = serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict).UniversalDecoder()

func check(document []byte) []string {
	object, kind, err := decoder.Decode(document, nil, nil)
	if err != nil {
		return []string{err.Error()}
	}
	strategy, ok := strategyOf(object)
	if !ok {
		return []string{fmt.Sprintf("no validation for %s here", kind.Kind)}
	}
	meta, err := meta.Accessor(object)
	if err != nil {
		return []string{err.Error()}
	}
	if meta.GetNamespace() == "" {
		meta.SetNamespace("default")
	}
	rest.FillObjectMetaSystemFields(meta)
	info := &request.RequestInfo{IsResourceRequest: true, APIGroup: kind.Group, APIVersion: kind.Version}
	ctx := request.WithRequestInfo(request.WithNamespace(context.Background(), meta.GetNamespace()), info)
	strategy.PrepareForCreate(ctx, object)
	problems := strategy.Validate(ctx, object)
	problems = append(problems, validation.ValidateObjectMetaAccessor(meta, strategy.NamespaceScoped(), path.ValidatePathSegmentName, field.NewPath("metadata"))...)
	told := []string{}
	for _, problem := range problems {
		told = append(told, fmt.Sprintf("%s %s: %s", kind.Kind, meta.GetName(), problem.Error()))
	}
	return told
}

// What the server does with an object of each kind before it is kept.
func strategyOf(object runtime.Object) (rest.RESTCreateStrategy, bool) {
	switch object.(type) {
	case *apps.Deployment:
		return deployment.Strategy, true
	case *batch.Job:
		return job.Strategy, true
	case *batch.CronJob:
		return cronjob.Strategy, true
	case *core.ConfigMap:
		return configmap.Strategy, true
	case *core.PersistentVolumeClaim:
		return persistentvolumeclaim.Strategy, true
	case *core.Service:
		return service.Strategy, true
	}
	return nil, false
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(3)
}
