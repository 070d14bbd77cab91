# The front door: every part is built, tested and tried from here. Incremental; `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

GOFLAGS_STATIC := -trimpath -ldflags="-s -w"
STAMPS := dist/.stamps
NPM := $(STAMPS)/npm
PROTO := $(STAMPS)/proto
# Everything that the command line is bundled from; tests are not part of it.
SOURCES := $(shell find cli engine compiler runtime \( -name '*.ts' ! -name '*.test.ts' -o -name '*.css' \) 2>/dev/null)
WASM_SOURCES := $(shell find runtime/cue/shim runtime/cue/build.sh tools/cue-patch -type f 2>/dev/null) tools/go.mod tools/go.sum
# The snapshot has our library in it, and is made by the code that reads and evaluates configs.
SNAPSHOT_SOURCES := $(shell find packages examples runtime/cue tools/cue-snapshot.ts tools/cue-code.ts tools/cue-runs -name '*.cue' -o -name '*.ts' ! -name '*.test.ts' 2>/dev/null)
RUN_SOURCES := $(shell find tools/run -name '*.go' ! -name '*_test.go' 2>/dev/null)
# Says how long a step took, so that a slow machine's log tells where the time went.
timed = @bash tools/timed.sh
# $(call go,MODULE DIRECTORY,PACKAGE,VARIABLES): builds a Go program as the target. Under another name first: two makes may build it at once.
go = $(timed) "$(@F)$(if $*, ($*))" bash -c 'mkdir -p $(@D) && cd $(1) && CGO_ENABLED=0 $(3) go build $(GOFLAGS_STATIC) -o "$(CURDIR)/$@.$$PPID" $(2) && mv "$(CURDIR)/$@.$$PPID" "$(CURDIR)/$@"'

.PHONY: help setup proto wasm daemon frontend s3 azurite gha deploy-tools nerdctl target-tools run-helper bundle lib build debian test lint golden bench fuzz demo all clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what the build and the tests need (Debian packages when run as root; npm and Go modules)
	$(timed) "system packages" bash tools/setup.sh
	@$(MAKE) --no-print-directory $(NPM)
	$(timed) "Go modules" bash -c 'cd tools && go mod download'

proto: $(PROTO) ## generate the BuildKit protocol code (proto/gen)
wasm: dist/cue.wasm ## build CUE to WebAssembly, and start it ahead of time (dist/cue.wasm, .snapshot, .code)
daemon: dist/bin/buildkitd dist/bin/buildctl ## build the pinned buildkitd and buildctl (dist/bin)
run-helper: dist/run/amd64/dagger-run dist/run/arm64/dagger-run dist/run/$(shell go env GOARCH)/gomplate dist/run/$(shell go env GOARCH)/jsonnet ## build the programs that run inside containers (dist/run)
bundle: dist/dagger/main.cjs ## bundle the command line into one file and compile it (dist/dagger)
lib: dist/lib/.complete ## build the libraries cuellb, cuellb/llb and cuellb/client (dist/lib)
build: proto wasm daemon run-helper bundle lib ## build everything that ./bin/dagger needs
debian: dist/images/debian/.complete ## make the Debian root directory that the demo and the tests build in (dist/images)

frontend: dist/bin/dockerfile-frontend ## build the pinned Dockerfile frontend that the tests put into images (dist/bin)
s3: dist/bin/versitygw ## build the S3 server that the tests start (dist/bin)
azurite: dist/azurite/.complete ## install the Azure Blob Storage server that the tests start (dist/azurite)
gha: dist/bin/gha-cache ## build the cache server for GitHub Actions that the tests start (dist/bin)

vault: dist/bin/vault-server ## build the Vault server that the tests start (dist/bin)

deploy-tools: dist/bin/helm dist/bin/tofu dist/bin/pod-server dist/images/tools/.complete ## build helm, OpenTofu and a pod for kubectl, and a Debian root with curl, git, ssh, rclone, kubectl, docker: what tests of packages run

nerdctl: dist/bin/nerdctl ## build the client of containerd that tests of services in containers run

target-tools: dist/bin/docker-compose dist/bin/kubernetes-check ## build Docker Compose, and the validation of a Kubernetes API server, that tests of targets run

# The tools that several test files use are made before: two that make them at once would be in each other's way.
test: build debian frontend s3 azurite gha vault deploy-tools nerdctl target-tools dist/bin/cue ## run the whole test suite
	npm test

lint: $(NPM) $(PROTO) dist/lib/.complete ## formatting, types, import rules, dead code
	npm run lint

golden: build ## rewrite the golden files; read the diff before committing it
	UPDATE=1 npm test

bench: build debian ## measure against buildctl on the same graphs (dist/benchmarks.md; PAGE=1: docs/benchmarks.md, too)
	npm run bench

fuzz: build ## feed broken input to everything that reads what a daemon sends; FUZZ_SECONDS (600) long
	npm run fuzz

demo: ## set up everything and run the demo: build, test and package a C program in a Debian container
	@$(MAKE) --no-print-directory setup
	@$(MAKE) --no-print-directory build debian
	bash tools/demo.sh

all: setup build lint test ## setup, build, lint and test

clean: ## remove what was built (keeps node_modules and the Debian root)
	rm -rf dist/bin dist/run dist/dagger dist/lib dist/cue* dist/.stamps proto/gen proto/src

# Installs what the lock file says, only when something else is installed. Not by npm ci: it refuses a lock file that leaves out
# optional packages of other platforms, and npm leaves those out that the registry at hand does not have.
$(NPM): package.json package-lock.json
	@mkdir -p $(@D)
	$(timed) "npm packages" bash -c 'npm ls --all >/dev/null 2>&1 || npm install --no-save'
	@touch $@

$(PROTO): $(NPM) proto/generate.sh proto/google/rpc/status.proto tools/go.mod
	@mkdir -p $(@D)
	$(timed) "protocol code" bash proto/generate.sh
	@touch $@

dist/cue.wasm: $(NPM) $(WASM_SOURCES) $(SNAPSHOT_SOURCES)
	@mkdir -p $(@D)
	$(timed) "CUE wasm" bash runtime/cue/build.sh
	@test -f $@ && touch $@

dist/bin/buildkitd dist/bin/buildctl dist/bin/dockerfile-frontend: tools/buildkit.sh tools/go.mod tools/go.sum
	@mkdir -p $(@D)
	$(timed) "$(@F)" bash tools/buildkit.sh $(@F) $@.new
	@mv $@.new $@

# The real cue, which tests and benchmarks hold dagger against; the product does not need it.
dist/bin/cue: tools/go.mod tools/go.sum
	$(call go,tools,cuelang.org/go/cmd/cue)

dist/run/%/dagger-run: $(RUN_SOURCES) tools/go.mod
	$(call go,tools,./run,GOOS=linux GOARCH=$*)

# A module of its own: its dependencies are not to decide those of buildkitd.
dist/run/%/gomplate: tools/gomplate/go.mod tools/gomplate/go.sum
	$(call go,tools/gomplate,github.com/hairyhenderson/gomplate/v4/cmd/gomplate,GOOS=linux GOARCH=$*)

# As gomplate; of Google's jsonnet in Go.
dist/run/%/jsonnet: tools/jsonnet/go.mod tools/jsonnet/go.sum
	$(call go,tools/jsonnet,github.com/google/go-jsonnet/cmd/jsonnet,GOOS=linux GOARCH=$*)

# Only for tests: a real S3 server over a directory.
dist/bin/versitygw: tools/s3/go.mod tools/s3/go.sum
	$(call go,tools/s3,github.com/versity/versitygw/cmd/versitygw)

# Only for tests: a real server of Azure Blob Storage. Not part of package.json: it is larger than all that is there.
dist/azurite/.complete: tools/azurite/package.json tools/azurite/package-lock.json
	@rm -rf $(@D) && mkdir -p $(@D)
	@cp $^ $(@D)
	$(timed) "Azurite" bash -c 'cd $(@D) && npm install --no-save --no-audit --no-fund'
	@touch $@

# Only for tests: a real server of GitHub's cache protocol, the one of act.
dist/bin/gha-cache: tools/gha/main.go tools/gha/go.mod tools/gha/go.sum
	$(call go,tools/gha,.)

# Only for tests: a real Vault server, its core with the key/value store and AppRole logins, in memory. Of a version under the MPL.
dist/bin/vault-server: tools/vault/main.go tools/vault/go.mod tools/vault/go.sum
	$(call go,tools/vault,.)

# Only for tests of the packages that run them.
dist/bin/helm: tools/helm/go.mod tools/helm/go.sum
	$(call go,tools/helm,helm.sh/helm/v3/cmd/helm)

dist/bin/tofu: tools/tofu/go.mod tools/tofu/go.sum
	$(call go,tools/tofu,github.com/opentofu/opentofu/cmd/tofu)

# Only for tests: what kubectl needs of a cluster, to reach a daemon in a pod.
dist/bin/pod-server: tools/pod/main.go tools/pod/go.mod tools/pod/go.sum
	$(call go,tools/pod,.)

# Only for tests of targets: what reads the files that dagger writes, and in the case of Compose, runs them.
dist/bin/docker-compose: tools/compose/go.mod tools/compose/go.sum
	$(call go,tools/compose,github.com/docker/compose/v5/cmd)

dist/bin/kubernetes-check: tools/kubernetes/main.go tools/kubernetes/go.mod tools/kubernetes/go.sum
	$(call go,tools/kubernetes,.)

# Only for tests of services in containers: the client of containerd.
dist/bin/nerdctl: tools/nerdctl/go.mod tools/nerdctl/go.sum
	$(call go,tools/nerdctl,github.com/containerd/nerdctl/cmd/nerdctl)

dist/images/tools/.complete: tools/debian-root.sh
	$(timed) "Debian root with tools" bash $< tools $(@D)

# CUE is used by the runs that compile the bundle's code.
dist/dagger/main.cjs: $(NPM) $(PROTO) $(SOURCES) tools/bundle.mjs tools/split.mjs tools/launch.cjs tools/train.mjs tools/train-child.cjs | dist/cue.wasm
	$(timed) "bundle" node tools/bundle.mjs

# Replaced as a whole: what imports it meanwhile finds the old library or the new one.
dist/lib/.complete: $(NPM) $(PROTO) $(filter engine/% compiler/% runtime/%,$(SOURCES)) tsconfig.lib.json tsconfig.json
	$(timed) "libraries" bash tools/lib.sh

dist/images/debian/.complete: tools/debian-root.sh
	$(timed) "Debian root" bash $< compiler $(@D)
