#!/usr/bin/env bash
# Makes a Debian root directory with the programs that packages of the library run (once), for their tests.
# DIR/rootfs is the root; DIR/.complete tells that it is whole.
set -euo pipefail
dir=$1
[ -f "$dir/.complete" ] && [ "$dir/.complete" -nt "$0" ] && exit 0
[ "$(id -u)" = 0 ] || { echo "tool-images: debootstrap needs root" >&2; exit 3; }
mkdir -p "$dir"
# Two processes at once: the second waits and finds the work done.
exec 9>"$dir/.lock"
flock 9
[ -f "$dir/.complete" ] && [ "$dir/.complete" -nt "$0" ] && exit 0
rm -rf "$dir/rootfs" "$dir/.complete"
# A mirror may be given as DEBIAN_MIRROR; without one, the mirror that this machine installs its own packages from.
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -m1 -E '/debian/?$' || true)}
debootstrap --variant=minbase --include=ca-certificates,curl,openssh-client,rclone,kubernetes-client bookworm "$dir/rootfs" \
  ${mirror:+"$mirror"} >"$dir/debootstrap.log" 2>&1 || { tail -20 "$dir/debootstrap.log" >&2; exit 1; }
rm -rf "$dir"/rootfs/var/cache/apt/archives/*.deb "$dir"/rootfs/var/lib/apt/lists/* "$dir"/rootfs/var/log/* "$dir"/rootfs/usr/share/{doc,man,locale}
# The client alone: Debian has it in one package with the daemon.
docker=$(PATH=/usr/bin:/usr/sbin:/bin command -v docker) || { echo "tool-images: docker is missing: apt-get install docker.io" >&2; exit 3; }
cp "$docker" "$dir/rootfs/usr/bin/docker"
touch "$dir/.complete"
