#!/bin/bash
# What `npm run check:all` does: everything that can be tested on this machine. As root on Debian it first installs the peers that tests
# need; a test whose peer is absent is listed as skipped at the end, never counted as passed.
set -euo pipefail
cd "$(dirname "$0")/.."

# program=package
peers=(docker-registry skopeo podman buildah umoci containerd dockerd=docker.io crun runc bwrap=bubblewrap slirp4netns pasta=passt newuidmap=uidmap jq curl socat
  qemu-system-x86_64=qemu-system-x86 debootstrap busybox=busybox-static bsdtar=libarchive-tools setfattr=attr nginx=nginx-light
  zsh fish shellcheck tar2sqfs=squashfs-tools-ng sqfstar=squashfs-tools prometheus rsync)

install_peers() {
  local missing=() peer
  for peer in "${peers[@]}"; do
    PATH=$PATH:/usr/sbin:/sbin type -P "${peer%=*}" >/dev/null || missing+=("${peer#*=}")
  done
  # busybox must be the static one: it is all that the images of the tests hold.
  [ -x /bin/busybox ] && dpkg -s busybox-static >/dev/null 2>&1 || missing+=(busybox-static)
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! type -P apt-get >/dev/null; then
    echo "test: not root with apt: tests that need ${missing[*]} will be skipped" >&2
    return 0
  fi
  echo "test: installing ${missing[*]}" >&2
  export DEBIAN_FRONTEND=noninteractive
  # No service may start: docker-registry's would take port 5000.
  local policy=/usr/sbin/policy-rc.d made=
  [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && made=1; }
  apt-get update -qq >/dev/null 2>&1 || true
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
    for peer in "${missing[@]}"; do
      apt-get install -y -qq --no-install-recommends "$peer" >/dev/null 2>&1 ||
        echo "test: cannot install $peer: the tests that need it will be skipped" >&2
    done
  [ -z "$made" ] || rm -f $policy
}

oldest_node() {
  (cd test/oldest-node && { [ -x node_modules/.bin/node ] || npm ci --no-audit --no-fund --silent >/dev/null 2>&1; } &&
    node_modules/.bin/node --version >/dev/null 2>&1 && echo "$PWD/node_modules/.bin/node") ||
    echo 'test: no Node 22.19 for this machine: the e2e tests run on one Node only' >&2
}

install_peers
npm run --silent lint
npm run --silent types
npm run --silent build
npm run --silent check:docs
IMAGES_TEST_OLDEST_NODE=$(oldest_node) npm test --silent -- --coverage
