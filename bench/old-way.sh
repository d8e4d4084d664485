#!/bin/sh
# What the figures are compared with: the ways of a shell script that asks the registry with curl and jq and copies with skopeo, one image at a
# time. OLD_ADDRESS is a command that prints the registry's host:port; it is run as often as such a script runs `docker inspect`.
# Usage: old-way.sh missing DIR | isloaded IMAGE | copy FROM_HOST IMAGE…
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT

address() {
	$OLD_ADDRESS
}

isloaded() {
	registry=$(address) || return 1
	name=$(echo "$1" | tr -d '"' | sed -E 's,:[^:/]*$,,' | sed -E 's,^[^/]*[.:][^/]*/,,')
	tag=$(echo "$1" | tr -d '"' | sed -E 's,.*:,,')
	curl -s "http://$registry/v2/$name/tags/list" >"$tmp/tags" || return 1
	grep -q errors "$tmp/tags" && return 1
	jq -r '.tags[]' <"$tmp/tags" | grep -qx "$tag"
}

case $1 in
isloaded)
	isloaded "$2"
	;;
missing)
	status=0
	for image in $(grep -hs ' image:' $(find "$2" -name '*.yaml') | sed -E 's,.*image: *,,' | sort -u); do
		isloaded "$image" || { echo "$image"; status=1; }
	done
	exit $status
	;;
copy)
	from=$2
	shift 2
	for image; do
		skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$from/$image" "docker://$(address)/$image" || exit 1
	done
	;;
esac
