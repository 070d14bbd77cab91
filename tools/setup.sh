#!/usr/bin/env bash
# Checks Node and Go, and installs the Debian packages that building and testing need. Changes nothing when all are there.
set -euo pipefail

need() { # command, what to do
  command -v "$1" >/dev/null || { echo "setup: $1 is missing: $2" >&2; exit 3; }
}
need node "install Node.js 20.19 or newer"
need npm "install npm"
need go "install Go 1.26 or newer"
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  { echo "setup: Node.js $(node --version) is too old: install 20.19 or newer" >&2; exit 3; }

# command=package. What dagger itself needs: runc for buildkitd; rootlesskit and uidmap for a daemon without root.
wanted=(runc=runc rootlesskit=rootlesskit newuidmap=uidmap)
# What makes the images of the demo and the tests.
wanted+=(debootstrap=debootstrap busybox=busybox-static git=git xz=xz-utils tar=tar)
# Real parts that the tests start: registries, Docker with its old BuildKit, Podman, ssh servers and agents.
wanted+=(docker-registry=docker-registry htpasswd=apache2-utils dockerd=docker.io docker=docker.io podman=podman ip=iproute2 sshd=openssh-server ssh-agent=openssh-client)
# The other database of the store of runs.
wanted+=(pg_ctlcluster=postgresql)
# Judges and helpers of the tests.
wanted+=(age=age faketime=faketime)
wanted+=(skopeo=skopeo umoci=umoci openssl=openssl script=bsdutils setpriv=util-linux useradd=passwd ps=procps python3=python3)
# The browser that tests open pages in.
wanted+=(chromium=chromium)
missing=()
for pair in "${wanted[@]}"; do
  command -v "${pair%%=*}" >/dev/null || PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
done
# Plugins are on no PATH.
[ -e /usr/lib/cni/portmap ] || [ -e /opt/cni/bin/portmap ] || missing+=(containernetworking-plugins)
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "setup: missing: ${missing[*]} (Debian package names). As root: apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 3
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
echo "setup: installed ${missing[*]}"
