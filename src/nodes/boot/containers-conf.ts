// Part of the boot script: what goes together with a registries.conf that is there, and the policy without which podman does nothing.
import { SEARCH_KEY } from '../containers-files.ts';

export const CONTAINERS_CONF = `# Short names: docker.io, where nobody says otherwise.
search_registries() {
	directory=etc/containers/registries.conf.d
	ours=$directory/51-private-reg-search.conf
	drop_in=$root/$directory/50-private-reg.conf
	[ -r "$stage/$ours" ] || return 0
	if grep -qs '^[[:space:]]*\\[registries\\.' "$root/etc/containers/registries.conf"; then
		# With both, every pull fails.
		log "WARNING: /etc/containers/registries.conf is of version 1: remove it, or write it anew, and run this again"
		[ ! -e "$drop_in" ] || mv -f "$drop_in" "$stage/$directory/"
		rm -f "$root/$ours"
		return 0
	fi
	[ ! -e "$stage/$directory/50-private-reg.conf" ] || mv -f "$stage/$directory/50-private-reg.conf" "$drop_in"
	for file in "$root/etc/containers/registries.conf" "$root/$directory"/*.conf; do
		[ "$file" != "$root/$ours" ] || continue
		grep -qs '^[[:space:]]*${SEARCH_KEY}' "$file" || continue
		rm -f "$root/$ours"
		return 0
	done
	mkdir -p "$root/$directory"
	cp "$stage/$ours" "$root/$ours"
}

# podman, skopeo and CRI-O do nothing without a policy.
policy() {
	[ -d "$root/etc/containers/registries.conf.d" ] || return 0
	[ -e "$root/etc/containers/policy.json" ] && return 0
	# An empty one would be worse than none.
	echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$root/etc/containers/policy.json" || rm -f "$root/etc/containers/policy.json"
}
`;
