#!/usr/bin/env bash
# Generates proto/gen/*.ts from the .proto files of the BuildKit version that tools/go.mod pins. Nothing of it is committed.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
modules=(github.com/moby/buildkit github.com/tonistiigi/fsutil github.com/containerd/containerd/api github.com/planetscale/vtprotobuf)
(cd tools && go mod download "${modules[@]}")
dir() { (cd tools && go list -m -f '{{.Dir}}' "$1"); }

rm -rf proto/src proto/gen
mkdir -p proto/src proto/gen
# The files import each other by Go import path, so they are laid out that way.
copy() { # module, files…
  local module=$1 from; shift
  from=$(dir "$module")
  for file in "$@"; do
    mkdir -p "proto/src/$module/$(dirname "$file")"
    install -m 0644 "$from/$file" "proto/src/$module/$file"
  done
}
copy github.com/moby/buildkit \
  api/services/control/control.proto api/types/worker.proto \
  frontend/gateway/pb/gateway.proto solver/pb/ops.proto solver/errdefs/errdefs.proto \
  sourcepolicy/pb/policy.proto sourcepolicy/policysession/policysession.proto \
  util/apicaps/pb/caps.proto util/stack/stack.proto \
  session/auth/auth.proto session/filesync/filesync.proto session/secrets/secrets.proto \
  session/sshforward/ssh.proto session/upload/upload.proto session/exporter/exporter.proto
copy github.com/tonistiigi/fsutil types/stat.proto types/wire.proto
copy github.com/containerd/containerd/api services/content/v1/content.proto
# fsutil marks two messages with an option that this file declares.
mkdir -p proto/src/github.com/planetscale/vtprotobuf/vtproto
install -m 0644 "$(dir github.com/planetscale/vtprotobuf)/include/github.com/planetscale/vtprotobuf/vtproto/ext.proto" proto/src/github.com/planetscale/vtprotobuf/vtproto/
mkdir -p proto/src/google/rpc
cp proto/google/rpc/status.proto proto/src/google/rpc/

cat > proto/src/buf.yaml <<'YAML'
version: v2
YAML
cat > proto/src/buf.gen.yaml <<YAML
version: v2
plugins:
  - local: $root/node_modules/.bin/protoc-gen-ts_proto
    out: $root/proto/gen
    strategy: all
    opt:
      - esModuleInterop=true
      - importSuffix=.ts
      - outputServices=none
      - outputClientImpl=false
      - outputJsonMethods=false
      - outputPartialMethods=true
      - enumsAsLiterals=true
      - forceLong=bigint
      - useMapType=false
      - useDate=false
      - oneof=unions-value
      - env=node
      - snakeToCamel=false
      - unrecognizedEnum=false
      - removeEnumPrefix=false
YAML
(cd proto/src && "$root/node_modules/.bin/buf" generate --template buf.gen.yaml)
node proto/lazy.mjs proto/gen
echo "proto: $(find proto/gen -name '*.ts' | wc -l) files in proto/gen"
