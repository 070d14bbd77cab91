#!/usr/bin/env bash
# Builds the libraries that the package exports (cuellb, cuellb/llb, cuellb/client) into dist/lib: JavaScript with types.
set -euo pipefail
cd "$(dirname "$0")/.."

made=dist/lib.new.$$
trap 'rm -rf "$made"' EXIT
mkdir -p dist
npx tsc -p tsconfig.lib.json --outDir "$made"
touch "$made/.complete"
rm -rf dist/lib
mv "$made" dist/lib
