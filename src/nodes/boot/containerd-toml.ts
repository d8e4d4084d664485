// Part of the boot script: `config_path` in a config.toml of containerd, by awk. The rules are those of nodes/shared/containerd-config.ts.
import { CONFIG_TABLES, TRANSFER_TABLE } from '../containerd-files.ts';
import { VERSION_1 } from '../shared/containerd-config.ts';

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

export const CONTAINERD_TOML = `# shellcheck disable=SC2016 # It is awk.
containerd_awk='${CONTAINERD_AWK}'

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
`;
