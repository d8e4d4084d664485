// A real VM boots with nothing but the overlay private-reg, and pulls preloaded images from the embedded registry, as a node of a cluster does: its containerd
// sends `?ns=HOST`, its podman asks for names with hosts.
// The VM's recipes are beside the project (peers/vm-image, peers/vm-run); where they or qemu are absent this is skipped.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildImage, busyboxLayer, pushImage } from '../fixtures/image.ts';
import { writeOverlay } from '../fixtures/overlay.ts';
import { startDockerRegistry } from '../peers/docker-registry.ts';
import { must } from '../peers/process.ts';
import { newWorld, ROOT } from '../peers/program.ts';
import { okLines, runVm, vmNeeds } from '../peers/vm.ts';

const MINUTE = 60_000;
const pulling = vmNeeds('docker-registry');

/** Two hosts with the same path are two images. */
const NAMES = [
  'docker.io/library/hello:1',
  'docker.io/tools/hello:1',
  'quay.io/tools/hello:1',
  'registry.k8s.io/pause:3.9',
  'ghcr.io/team/app:1',
];

it.skipIf(pulling.missing)(
  `containerd and podman of a VM pull preloaded images of all hosts${pulling.why}`,
  async () => {
    await using upstream = await startDockerRegistry();
    await using world = await newWorld();
    const layer = busyboxLayer();
    const hosts = NAMES.map((name) => name.split('/')[0] ?? '');
    await world.mirror(Object.fromEntries(hosts.map((host) => [host, `${upstream.host}/${host}`])));
    const ids: string[] = [];
    for (const name of NAMES) {
      const image = buildImage({ layers: [layer], cmd: ['/bin/echo', `OK ${name}`] });
      await pushImage(upstream.base, name, image);
      ids.push(image.blobs[0]?.digest.replace('sha256:', '') ?? '');
    }
    const registry = await world.startRegistry();
    const overlay = join(world.path, 'overlay');
    await writeOverlay(overlay, NAMES);
    await world.must(['lreg_preload', overlay]);
    await upstream[Symbol.asyncDispose]();
    const tar = join(world.path, 'private-reg.tar');
    const env = { ...world.env, __net_setup: '/x/net-setup-userspace.sh' };
    await must(join(ROOT, 'ovl/private-reg/tar'), [tar], { env });

    const { port } = registry;
    const result = await runVm(SCRIPT, { disks: [tar], forwards: { 80: port, [port]: port } });
    expect(okLines(result), result.stdout).toEqual([
      ...[...ids, ids[0]].map((id) => `OK podman ${id}`),
      'OK quay.io/tools/hello:1',
      ...ids.map((id) => `OK CRI ${id}`),
      'OK again',
    ]);
    expect(result.status, result.stdout).toBe(0);
  },
  20 * MINUTE,
);

// By podman, by ctr, and by CRI as kubelet asks (gRPC: the image in two fields of a message, kubernetes/cri-api).
const SCRIPT = `set -eu
names='${NAMES.join(' ')}'
podman() { command podman "$@" 2>/tmp/err || { cat /tmp/err; exit 1; }; }
podman pull -q $names hello:1 | sed 's/^/OK podman /'
containerd >/tmp/containerd.log 2>&1 &
for i in $(seq 60); do ctr version >/dev/null 2>&1 && break; sleep 0.5; done
image=quay.io/tools/hello:1
ctr images pull --hosts-dir /etc/containerd/certs.d $image >/tmp/pull.log 2>&1 || { cat /tmp/pull.log /tmp/containerd.log; exit 1; }
ctr run --rm --net-host $image one
byte() { printf "\\\\$(printf %o $1)"; }
for image in $names; do
  { printf '\\0\\0\\0\\0'; byte $((\${#image} + 4)); printf '\\n'; byte $((\${#image} + 2)); printf '\\n'; byte \${#image}; printf %s $image; } >/tmp/message
  curl -s --http2-prior-knowledge --unix-socket /run/containerd/containerd.sock -H 'content-type: application/grpc' -H 'te: trailers' \\
    --data-binary @/tmp/message -o /tmp/answer http://localhost/runtime.v1.ImageService/PullImage || { cat /tmp/containerd.log; exit 1; }
  echo "OK CRI $(tail -c 64 /tmp/answer)"
done
hosts=$(sha256sum </etc/hosts)
sh /etc/init.d/28private-reg.rc
[ "$hosts" = "$(sha256sum </etc/hosts)" ] && echo OK again
`;
