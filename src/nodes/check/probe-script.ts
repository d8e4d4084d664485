// What a node is asked for: a script of POSIX sh that prints which runtimes there are, and the files that they read. It changes nothing.
import { CERTS_D } from '../containerd-files.ts';

/** In bytes and files: a node that has more tells less. */
const MOST_BYTES = 65_536;
const MOST_FILES = 200;

/** Each line of a file follows with `|` before it. */
export const PROBE_SCRIPT = `
say() { printf '@ %s\\n' "$*"; }
n=0
file() {
	[ -f "$1" ] || return 0
	n=$((n + 1)); [ $n -le ${MOST_FILES} ] || return 0
	if [ -r "$1" ]; then say file "$1"; head -c ${MOST_BYTES} "$1" | sed 's/^/|/'; echo; else say unreadable "$1"; fi
}
program() {
	path=$(command -v "$1" 2>/dev/null) || return 0
	say program "$1" "$("$path" --version 2>/dev/null | head -n 1)"
}
for name in containerd podman crio skopeo dockerd k3s rke2; do program $name; done
for dir in /proc/[0-9]*; do
	case $(cat "$dir/comm" 2>/dev/null) in
	containerd) say process containerd "$(tr '\\0' ' ' <"$dir/cmdline" 2>/dev/null)" ;;
	dockerd) say process dockerd "$(tr '\\0' ' ' <"$dir/cmdline" 2>/dev/null)" ;;
	esac
done
for path in /etc/hosts /etc/containers/registries.conf /etc/containers/policy.json /etc/containerd/config.toml /etc/docker/daemon.json \\
	/etc/rancher/k3s/registries.yaml /etc/rancher/rke2/registries.yaml /etc/containers/registries.conf.d/*.conf ${CERTS_D}/*/hosts.toml; do
	file "$path"
done
say end
`;
