#!/usr/bin/env bash
# Runs a command and says what it was and how long it took: `timed.sh NAME COMMAND…`.
set -euo pipefail
name=$1
shift
start=$(date +%s)
echo "==> $name"
"$@" || { code=$?; echo "==> $name failed after $(($(date +%s) - start)) s" >&2; exit "$code"; }
echo "==> $name: $(($(date +%s) - start)) s"
