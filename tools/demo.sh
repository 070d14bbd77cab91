#!/usr/bin/env bash
# Runs the demo on what `make` built: examples/app in a Debian container, on the embedded daemon. Run it twice to see the cache.
set -euo pipefail
cd "$(dirname "$0")/.."
image=docker.io/library/debian:bookworm
# A debootstrap that was made anew is imported anew.
mark=dist/images/debian/.imported
store=$(./bin/dagger image list --output json)
if ! grep -q "\"$image\"" <<<"$store" || [ ! -f "$mark" ] || [ dist/images/debian/.complete -nt "$mark" ]; then
  ./bin/dagger image import "$image" dist/images/debian/rootfs
  touch "$mark"
fi
./bin/dagger up examples/app
