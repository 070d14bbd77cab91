#!/usr/bin/env bash
# Builds a command of the pinned BuildKit, static, and tells it its version: `tools/buildkit.sh buildkitd dist/bin/buildkitd`.
set -euo pipefail
out=$(realpath -m "$2")
case "$1" in
dockerfile-frontend) package=frontend/dockerfile/cmd/$1 ;;
*) package=cmd/$1 ;;
esac
cd "$(dirname "$0")"
module=github.com/moby/buildkit
version=$(go list -m -f '{{.Version}}' "$module")
CGO_ENABLED=0 go build -trimpath -ldflags="-s -w -X $module/version.Version=$version" -o "$out" "$module/$package"
