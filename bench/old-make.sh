#!/bin/sh
# The old way to pre-pulled images, as images.sh does it, with a daemon that has the images: each is copied to a store by skopeo, the store is packed.
# Usage: old-make.sh DOCKER_HOST SCRATCH_DIR OUT IMAGE…
set -e
host=$1
scratch=$2/old
out=$3
shift 3
rm -rf "$scratch"
mkdir -p "$scratch/var/lib/containers/storage"
trap 'umount "$scratch/var/lib/containers/storage/overlay" 2>/dev/null; rm -rf "$scratch"' EXIT
for image; do
	skopeo copy -q --src-daemon-host "$host" "docker-daemon:$image" \
		"containers-storage:[overlay@$scratch/var/lib/containers/storage+$scratch/run]$image"
done
tar -C "$scratch" --xattrs --xattrs-include='*' -cf "$out" var
