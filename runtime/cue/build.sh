#!/usr/bin/env bash
# Builds CUE as WebAssembly: dist/cue.wasm, from the CUE that tools/go.mod pins, patched by tools/cue-patch; dist/cue.snapshot and dist/cue.code.
# Incremental: Go's build cache does the work. Reproducible: no paths, no build id, no version control stamp.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD

# The copy is made again when the patch, or the version of CUE, changed.
want=$(cat tools/go.mod tools/go.sum $(find tools/cue-patch -type f | sort) | sha256sum)
if [ "$(cat dist/cue-src.stamp 2>/dev/null || true)" != "$want" ]; then
  mkdir -p dist
  rm -f dist/cue-src.stamp
  (cd tools && go run ./cue-patch -to "$root/dist/cue-src")
  printf '%s\n' "$want" >dist/cue-src.stamp
fi

cd runtime/cue/shim
GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -buildvcs=false -ldflags="-s -w -buildid=" -o "$root/dist/cue.wasm.go" .

cd "$root"
node --import tsx tools/cue-snapshot.ts dist/cue.wasm.go dist/cue.wasm packages examples
node --import tsx tools/cue-code.ts dist/cue.wasm
