// A real VM pulls preloaded images from the embedded registry, as a node of a cluster does: its containerd sends `?ns=HOST`, its podman does not.
// The VM's recipes are beside the project (peers/vm-image, peers/vm-run); where they or qemu are absent this is skipped.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildImage, busyboxLayer, pushImage } from '../fixtures/image.ts';
import { writeOverlay } from '../fixtures/overlay.ts';
import { startDockerRegistry } from '../peers/docker-registry.ts';
import { newWorld } from '../peers/program.ts';
import { okLines, runVm, vmNeeds } from '../peers/vm.ts';

const MINUTE = 60_000;
const pulling = vmNeeds('docker-registry');

it.skipIf(pulling.missing)(
  `containerd and podman of a VM pull and run preloaded images${pulling.why}`,
  async () => {
    await using upstream = await startDockerRegistry();
    await using world = await newWorld();
    const layer = busyboxLayer();
    const says = (text: string) => buildImage({ layers: [layer], cmd: ['/bin/echo', text] });
    await pushImage(upstream.base, 'library/hello:1', says('OK hello of docker.io'));
    await pushImage(upstream.base, 'tools/hello:1', says('OK tools of docker.io'));
    await pushImage(upstream.base, 'mirrored/tools/hello:1', says('OK tools of quay.io'));
    await world.mirror({ 'docker.io': upstream.host, 'quay.io': `${upstream.host}/mirrored` });
    const registry = await world.startRegistry();
    const overlay = join(world.path, 'overlay');
    await writeOverlay(overlay, ['hello:1', 'docker.io/tools/hello:1', 'quay.io/tools/hello:1']);
    await world.must(['lreg_preload', overlay]);
    await upstream[Symbol.asyncDispose]();

    const result = await runVm(SCRIPT, [`--forward=80=${registry.port}`]);
    expect(okLines(result), result.stdout).toEqual([
      'OK hello of docker.io',
      'OK tools of docker.io',
      'OK tools of quay.io',
      'OK hello of docker.io',
    ]);
    expect(result.status, result.stdout).toBe(0);
  },
  8 * MINUTE,
);

const SCRIPT = `set -eu
for host in docker.io quay.io; do
  mkdir -p /etc/containerd/certs.d/$host
  cat >/etc/containerd/certs.d/$host/hosts.toml <<TOML
server = "http://192.168.0.250:80"
[host."http://192.168.0.250:80"]
  capabilities = ["pull", "resolve"]
TOML
done
mkdir -p /etc/containers/registries.conf.d
cat >/etc/containers/registries.conf.d/images.conf <<TOML
[[registry]]
prefix = "docker.io"
location = "192.168.0.250:80"
insecure = true
TOML
printf '{"default":[{"type":"insecureAcceptAnything"}]}' >/etc/containers/policy.json
cat >/tmp/containerd.toml <<TOML
version = 2
root = "/var/tmp/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "/run/containerd.sock"
TOML
containerd -c /tmp/containerd.toml >/tmp/containerd.log 2>&1 &
ctr() { command ctr -a /run/containerd.sock "$@"; }
for i in $(seq 60); do ctr version >/dev/null 2>&1 && break; sleep 0.5; done
for image in docker.io/library/hello:1 docker.io/tools/hello:1 quay.io/tools/hello:1; do
  ctr images pull --hosts-dir /etc/containerd/certs.d $image >/tmp/pull.log 2>&1 || { cat /tmp/pull.log /tmp/containerd.log; exit 1; }
  ctr run --rm --net-host $image one
done
podman pull -q docker.io/library/hello:1 2>/dev/null
podman run --rm --network=host --cgroups=disabled docker.io/library/hello:1 2>/dev/null
`;
