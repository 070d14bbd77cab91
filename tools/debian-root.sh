#!/usr/bin/env bash
# Makes a Debian root directory (once): `tools/debian-root.sh KIND DIR`. DIR/rootfs is the root; DIR/.complete tells that it is whole.
# compiler: with a C toolchain, what `docker.io/library/debian:bookworm` is in the demo and the tests.
# tools: with the programs that packages of the library run, for their tests.
set -euo pipefail
kind=$1 dir=$2
case "$kind" in
compiler) packages=gcc,libc6-dev,make ;;
tools) packages=ca-certificates,curl,git,openssh-client,rclone,kubernetes-client ;;
*) echo "debian-root: no kind $kind" >&2; exit 2 ;;
esac
is_complete() { [ -f "$dir/.complete" ] && [ "$dir/.complete" -nt "$0" ]; }
is_complete && exit 0
[ "$(id -u)" = 0 ] || { echo "debian-root: debootstrap needs root" >&2; exit 3; }
# The client alone: Debian has it in one package with the daemon.
docker=
if [ "$kind" = tools ]; then
  docker=$(PATH=/usr/bin:/usr/sbin:/bin command -v docker) || { echo "debian-root: docker is missing: apt-get install docker.io" >&2; exit 3; }
fi
mkdir -p "$dir"
# Two processes at once: the second waits and finds the work done.
exec 9>"$dir/.lock"
flock 9
is_complete && exit 0
rm -rf "$dir/rootfs" "$dir/.complete"
# A mirror may be given as DEBIAN_MIRROR; without one, the mirror that this machine installs its own packages from.
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -m1 -E '/debian/?$' || true)}
debootstrap --variant=minbase --include="$packages" bookworm "$dir/rootfs" ${mirror:+"$mirror"} >"$dir/debootstrap.log" 2>&1 ||
  { tail -20 "$dir/debootstrap.log" >&2; exit 1; }
rm -rf "$dir"/rootfs/var/cache/apt/archives/*.deb "$dir"/rootfs/var/lib/apt/lists/* "$dir"/rootfs/var/log/*
if [ -n "$docker" ]; then
  rm -rf "$dir"/rootfs/usr/share/{doc,man,locale}
  cp "$docker" "$dir/rootfs/usr/bin/docker"
fi
touch "$dir/.complete"
