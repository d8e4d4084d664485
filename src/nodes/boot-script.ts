// What a node runs at boot, or once: puts the shared files of the stage to where they belong, whatever is there. POSIX sh and awk, for Debian as for busybox;
// it can be run again and again. The rules for shared files are those of nodes/shared/.
import { CERTS_D, CONFIG_TABLES, TRANSFER_TABLE } from './containerd-files.ts';
import { SEARCH_KEY } from './containers-files.ts';
import { VERSION_1 } from './shared/containerd-config.ts';
import { HOSTS_BEGIN, HOSTS_END } from './shared/hosts-file.ts';
import { SYSTEM_CA } from './system-ca.ts';

export const BOOT_SCRIPT_PATH = 'etc/init.d/28private-reg.rc';

/** For tests: another root, in which no route is set and nothing is run. */
const ROOT = 'PRIVATE_REG_ROOT';

const CONTAINERD_AWK = `
# Quotes around a word mean nothing.
function plain(name) {
	gsub(/[ \\t]/, "", name); gsub(/\\047/, "\\"", name)
	while (match(name, /"[A-Za-z0-9_-]+"/)) name = substr(name, 1, RSTART - 1) substr(name, RSTART + 1, RLENGTH - 2) substr(name, RSTART + RLENGTH)
	return name
}
function header(line) { sub(/^[ \\t]*\\[/, "", line); sub(/\\][ \\t]*(#.*)?$/, "", line); return plain(line) }
function value(line) {
	sub(/\\r$/, "", line); sub(/^[^=]*=[ \\t]*/, "", line); sub(/[ \\t]*(#.*)?$/, "", line); gsub(/["\\047]/, "", line)
	return line
}
# How many brackets a line opens, and does not close.
function opens(line) {
	gsub(/"([^"\\\\]|\\\\.)*"/, "", line); gsub(/\\047[^\\047]*\\047/, "", line); sub(/#.*/, "", line)
	return gsub(/[[{]/, "", line) - gsub(/[]}]/, "", line)
}
function refuse(why) { print why >reason; exit 1 }
# Ours, nothing, or a list of directories, of which the transfer service reads none.
function may_change(path) { return path == "" || path == certs || index(":" path ":", ":" certs ":") }
{ lines[NR] = $0 }
END {
	current = ""
	for (n = 1; n <= NR; n++) {
		line = lines[n]; sub(/\\r$/, "", line)
		if (line !~ /^[ \\t]*#/ && (index(line, "\\"\\"\\"") || index(line, "\\047\\047\\047"))) refuse("it has strings of several lines")
		if (inside > 0) { inside += opens(line); continue }
		if (line ~ /^[ \\t]*\\[/) { current = header(line); if (!(current in at)) at[current] = n; continue }
		if (line !~ /^[ \\t]*["\\047A-Za-z0-9_]/) continue
		inside = opens(line)
		key = line; sub(/=.*/, "", key); key = plain(key)
		keys++
		if (current == "" && key == "version") version = value(line)
		if (key == "config_path") path[current] = n
		if (key ~ /^mirrors/ && value(line) !~ /^[{][ \\t]*[}]$/) own[current ".mirrors"] = 1
		if (key ~ /^tls/ || (key ~ /^configs/ && index(line, "tls"))) own[current ".tls"] = 1
		own[current] = 1
		if (current == "" || current == "plugins") {
			if (key == "plugins" || index(key, "io.containerd.grpc.v1.cri") || index(key, "io.containerd.cri.v1.images")) odd = 1
			if (index(key, "io.containerd.transfer.v1.local")) odd_transfer = 1
		}
		if ((current == plugin2 || current == plugin3) && key ~ /^registry/) odd = 1
	}
	if (inside > 0) refuse("it cannot be read")
	if (keys == 0) { version = 2; print "version = 2" }
	if (version == "" || version == 1) refuse("${VERSION_1}")
	if (version != 2 && version != 3) refuse("it is not of version 2 or 3")
	registry = version == 3 ? table3 : table2
	if (odd) refuse("the table of the registry is written in another way than [" registry "]")
	for (name in at) if (index(name, registry ".mirrors.") == 1) own[registry ".mirrors"] = 1
	if ((registry ".mirrors") in own) refuse("it has mirrors of its own")
	for (name in at) if (index(name, registry ".configs.") == 1 && name ~ /\\.tls$/) own[registry ".tls"] = 1
	for (name in own) if (index(name, registry ".configs.") == 1 && name ~ /\\.tls$/) tls = 1
	if (tls || (registry ".tls") in own) refuse("it has TLS settings of its own")
	if ((registry in path) && !may_change(value(lines[path[registry]]))) refuse("its config_path is " value(lines[path[registry]]))
	set(registry)
	if (!odd_transfer && (!(transfer in path) || may_change(value(lines[path[transfer]])))) set(transfer)
	for (n = 1; n <= NR; n++) print lines[n]
	printf "%s", more
}
function set(table) {
	line = "  config_path = \\"" certs "\\""
	if (table in path) { if (value(lines[path[table]]) != certs) { match(lines[path[table]], /^[ \\t]*/); lines[path[table]] = substr(lines[path[table]], 1, RLENGTH) substr(line, 3) } }
	else if (table in at) lines[at[table]] = lines[at[table]] "\\n" line
	else more = more "\\n[" table "]\\n" line "\\n"
}
`;

export const BOOT_SCRIPT = `#! /bin/sh
##
## 28private-reg.rc --
##
##   Lets this node find the private registry: run at boot, or once. What
##   others have configured stays. It can be run again.
##
root=\${${ROOT}-}
spoofed=$root/etc/spoofed-hosts
stage=$root/etc/private-reg
certs=${CERTS_D}
gateway=192.168.0.250
PREFIX=\${PREFIX:-fd00:}

log() {
	echo "private-reg: $1"
}

# Behind a symbolic link is the file itself.
behind_links() {
	readlink -f "$1" 2>/dev/null || echo "$1"
}

# The new content is in $1.private-reg. A file that is mounted can only be written to.
replace() {
	if cmp -s "$1" "$1.private-reg"; then
		rm -f "$1.private-reg"
	elif ! mv -f "$1.private-reg" "$1" 2>/dev/null; then
		cat "$1.private-reg" >"$1"
		rm -f "$1.private-reg"
	fi
}

# rewrite FILE COMMAND…: the file becomes what the command makes of it, with its owner and mode. busybox's awk says nothing of a full disk, so it is run
# once more and compared.
rewrite() {
	edited=$1
	shift
	if cp -p "$edited" "$edited.private-reg" 2>/dev/null && "$@" "$edited" >"$edited.private-reg" && "$@" "$edited" | cmp -s - "$edited.private-reg"; then
		replace "$edited"
	else
		rm -f "$edited.private-reg"
		return 1
	fi
}

# /etc/hosts: the first line with a name counts.
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

# A file that is there stays, unless this script has put it there.
install_staged() {
	file=$root/$1
	[ -r "$stage/$1" ] || return 0
	if [ -e "$file" ] && ! cmp -s "$file" "$stage/$1" && ! cmp -s "$file" "$stage/installed/$1"; then
		log "WARNING: /$1 was there before and stays; what the private registry needs is in /etc/private-reg/$1"
		return 1
	fi
	file=$(behind_links "$file")
	mkdir -p "$(dirname "$file")" "$(dirname "$stage/installed/$1")"
	if cp -p "$stage/$1" "$file.private-reg"; then
		replace "$file"
		cp -p "$stage/$1" "$stage/installed/$1"
	else
		rm -f "$file.private-reg"
		log "WARNING: /$1 cannot be written, and stays as it is"
	fi
}

containerd_config() {
	config=etc/containerd/config.toml
	[ -r "$stage/$config" ] || return 0
	file=$(behind_links "$root/$config")
	if [ ! -s "$file" ]; then
		rm -f "$file"
		install_staged $config
		return
	fi
	rm -f "$stage/reason"
	rewrite "$file" awk -v table2='${CONFIG_TABLES[2]}' -v table3='${CONFIG_TABLES[3]}' -v transfer='${TRANSFER_TABLE}' \\
		-v plugin2='${CONFIG_TABLES[2].replace('.registry', '')}' -v plugin3='${CONFIG_TABLES[3].replace('.registry', '')}' \\
		-v certs="$certs" -v reason="$stage/reason" "$containerd_awk" ||
		log "WARNING: /$config stays as it is: $(cat "$stage/reason" 2>/dev/null || echo "it cannot be read, or not be written"). containerd reads the mirrors of the private registry with config_path = \\"$certs\\" in the table of its registries"
	rm -f "$stage/reason"
}

# Short names: docker.io, where nobody says otherwise.
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

trust() {
	ca=$root/${SYSTEM_CA}
	[ -r "$ca" ] && [ -z "$root" ] || return 0
	anchors=/etc/pki/ca-trust/source/anchors
	[ -d "$anchors" ] || anchors=/etc/pki/trust/anchors
	if [ -d "$anchors" ] && ! cmp -s "$ca" "$anchors/private-reg.crt"; then
		cp "$ca" "$anchors/"
	fi
	if command -v update-ca-certificates >/dev/null; then
		update-ca-certificates >/dev/null 2>&1 || log "WARNING: update-ca-certificates failed"
	elif command -v update-ca-trust >/dev/null; then
		update-ca-trust extract || log "WARNING: update-ca-trust failed"
	else
		bundle=/etc/ssl/certs/ca-certificates.crt
		mkdir -p /etc/ssl/certs
		grep -qsF "$(sed -n '/BEGIN CERTIFICATE/{n;p;q;}' "$ca")" "$bundle" || cat "$ca" >>"$bundle"
	fi
}

# shellcheck disable=SC2016 # It is awk.
containerd_awk='${CONTAINERD_AWK}'

spoof_hosts
routes
containerd_config
search_registries
policy
for config in etc/docker/daemon.json etc/rancher/k3s/registries.yaml etc/rancher/rke2/registries.yaml; do
	install_staged $config
done
trust
exit 0
`;
