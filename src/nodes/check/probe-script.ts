// What a node is asked for: a script of POSIX sh that prints which runtimes there are, and the files that they read. It changes nothing.
import { CERTS_D } from '../containerd-files.ts';
import { CHECKED_HOSTS } from './contract.ts';

/** In bytes, of a file: one that is larger is told of as unreadable. */
const MOST_BYTES = 1_048_576;
/** In bytes, of all files together. */
const MOST_TOGETHER = 3_000_000;
const MOST_FILES = 200;
/** A shell that `ssh` starts for a command finds less than one that a user has. */
const MORE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/bin';

const CERTS_OF_HOSTS = [...CHECKED_HOSTS, '_default'].map((host) => `${CERTS_D}/${host}`);

/** What scripts for nodes begin with. What is said is one line, whatever is in it: others name files and processes. */
export const SCRIPT_HEAD = `
LC_ALL=C PATH="$PATH:${MORE_PATH}"
export LC_ALL PATH
have() { command -v "$1" >/dev/null 2>&1; }
for name in cat head sed tr wc; do have $name || printf '@ lacks %s\\n' $name; done
say() { printf '@ %s\\n' "$(printf %s "$*" | tr '\\n\\r' '  ')"; }
`;

/** Each line of a file follows with `|` before it. What is started gets no input: that is this script. */
export const PROBE_SCRIPT = `${SCRIPT_HEAD}
n=0 left=${MOST_TOGETHER}
lines() { head -c ${MOST_BYTES} | sed 's/^/|/'; echo; }
file() {
	[ -f "$1" ] || return 0
	n=$((n + 1)); [ $n -le ${MOST_FILES} ] || return 0
	size=$(wc -c <"$1" 2>/dev/null) || size=
	if [ -z "$size" ] || [ "$size" -gt ${MOST_BYTES} ] || [ "$size" -gt $left ]; then say unreadable "$1"; return 0; fi
	left=$((left - size))
	say file "$1"; lines <"$1"
}
program() {
	path=$(command -v "$1" 2>/dev/null) || return 0
	say program "$1" "$("$path" --version 2>/dev/null </dev/null | head -n 1 | head -c 200)"
}
say clock "$(date +%s 2>/dev/null)"
for name in containerd podman crio skopeo dockerd k3s rke2; do program $name; done
for dir in /proc/[0-9]*; do
	name=; { read -r name <"$dir/comm"; } 2>/dev/null
	case $name in
	containerd | dockerd) say process $name "$(tr '\\0' ' ' <"$dir/cmdline" 2>/dev/null | head -c 4096)" ;;
	esac
done
for dir in /etc/containers /etc/containers/registries.conf.d /etc/containerd ${CERTS_D} /etc/docker /etc/rancher /etc/rancher/k3s /etc/rancher/rke2; do
	[ ! -d "$dir" ] || { [ -r "$dir" ] && [ -x "$dir" ]; } || say unreadable "$dir/"
done
for dir in ${CERTS_OF_HOSTS.join(' ')}; do
	[ ! -d "$dir" ] || say directory "$dir"; file "$dir/hosts.toml"
done
for path in /etc/hosts /etc/containers/registries.conf /etc/containers/policy.json /etc/containerd/config.toml /etc/docker/daemon.json \\
	/etc/rancher/k3s/registries.yaml /etc/rancher/rke2/registries.yaml /etc/containers/registries.conf.d/*.conf; do
	file "$path"
done
for path in ${CERTS_D}/*/hosts.toml; do
	case " ${CERTS_OF_HOSTS.join(' ')} " in *" \${path%/hosts.toml} "*) ;; *) file "$path" ;; esac
done
if have containerd && dump=$(containerd config dump 2>/dev/null </dev/null); then say dump containerd; printf '%s\\n' "$dump" | lines; fi
say end
`;
