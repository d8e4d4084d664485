// Part of the boot script: the registry's addresses in /etc/hosts, and the routes that lead to them.
import { HOSTS_BEGIN, HOSTS_END } from '../shared/hosts-file.ts';

export const HOSTS_AND_ROUTES = `# /etc/hosts: the first line with a name counts.
spoof_hosts() {
	hosts=$(behind_links "$root/etc/hosts")
	ours=$stage/hosts-block
	[ -d "$stage" ] || return 0
	cat "$spoofed" "$stage/etc/hosts" 2>/dev/null >"$ours"
	if ! cat "$spoofed" "$stage/etc/hosts" 2>/dev/null | cmp -s - "$ours"; then
		log "WARNING: /etc/hosts cannot be written, and stays as it is"
		return 0
	fi
	[ -s "$ours" ] || return 0
	[ -e "$hosts" ] || echo "127.0.0.1 localhost" >"$hosts"
	# shellcheck disable=SC2016 # It is awk.
	if ! rewrite "$hosts" awk -v begin="${HOSTS_BEGIN}" -v end="${HOSTS_END}" -v ours="$ours" '
		{ line = $0; sub(/\\r$/, "", line) }
		# A block without an end is not ours alone.
		line == begin { printf "%s", held; held = $0 "\\n"; inside = 1; next }
		inside { held = held $0 "\\n"; if (line == end) { inside = 0; held = "" } next }
		{ print }
		END {
			printf "%s", held
			print begin
			while ((getline line <ours) > 0) print line
			print end
		}'; then
		log "WARNING: /etc/hosts cannot be written, and stays as it is"
		return 0
	fi
	awk -v begin="${HOSTS_BEGIN}" '
		$0 == begin { block = 1 }
		/^[0-9a-fA-F:.]/ {
			for (n = 2; n <= NF && $n !~ /^#/; n++) {
				if (!block) { if (!($n in before)) before[$n] = $1 }
				else if ($n in before && before[$n] != $1 && !($n in told)) { told[$n]; print $n }
			}
		}' "$hosts" | while read -r name; do log "WARNING: an earlier line of /etc/hosts has another address for $name"; done
}

# Whether an address is on a network of this node.
is_near() {
	way=$(ip "$1" route get "$2" 2>/dev/null) || return 1
	case $way in
	'' | *" via "* | unreachable*) return 1 ;;
	esac
}

route() {
	[ "$2" != "$4" ] || return 0
	! is_near "$1" "$2" || return 0
	is_near "$1" "$4" || return 0
	ip "$1" route replace "$2/$3" via "$4" 2>/dev/null || log "WARNING: no route to $2 via $4"
}

routes() {
	[ -z "$root" ] && [ -r "$spoofed" ] || return 0
	if ! command -v ip >/dev/null; then
		log "WARNING: there is no program ip: if the registry is on no network of this node, route it via $gateway"
		return 0
	fi
	awk '{ print $1 }' "$spoofed" | sort -u | while read -r address; do
		case $address in
		*:*) route -6 "$address" 128 "$PREFIX:$gateway" ;;
		*) route -4 "$address" 32 "$gateway" ;;
		esac
	done
}
`;
