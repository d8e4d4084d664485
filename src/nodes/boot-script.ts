// What a node runs at boot, or once: puts the shared files of the stage to where they belong, whatever is there. POSIX sh and awk, for Debian as for busybox;
// it can be run again and again. The rules for shared files are those of nodes/shared/. Its parts are in boot/, in the order in which they are run.
import { CONTAINERD_TOML } from './boot/containerd-toml.ts';
import { CONTAINERS_CONF } from './boot/containers-conf.ts';
import { EDITED_FILES } from './boot/edited-files.ts';
import { HOSTS_AND_ROUTES } from './boot/hosts-and-routes.ts';
import { TRUSTED_CA } from './boot/trusted-ca.ts';
import { CERTS_D } from './containerd-files.ts';

export const BOOT_SCRIPT_PATH = 'etc/init.d/28private-reg.rc';

/** For tests: another root, in which no route is set and nothing is run. */
const ROOT = 'PRIVATE_REG_ROOT';

const PARTS = [EDITED_FILES, HOSTS_AND_ROUTES, CONTAINERD_TOML, CONTAINERS_CONF, TRUSTED_CA];

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

${PARTS.join('\n')}
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
