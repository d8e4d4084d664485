// Real VMs in a network as xcluster makes it boot with nothing but the overlay private-reg, and have IPv4 or IPv6 alone; the registry answers with plain http, or with
// https under all names. podman, ctr and CRI pull images of several hosts.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, busyboxLayer } from '../fixtures/image.ts';
import { must } from '../peers/process.ts';
import { newWorld, ROOT, type World } from '../peers/program.ts';
import { startUpstream } from '../peers/upstream.ts';
import { okLines, runVm, vmNeeds } from '../peers/vm.ts';
import { startVmNetwork, type VmNetwork } from '../peers/vm-network.ts';
import { isSoak } from '../testing/soak.ts';

const MINUTE = 60_000;
const vm = vmNeeds('root', 'unshare', 'nsenter', 'ip');

/** Two hosts with the same path are two images. */
const NAMES = [
  'docker.io/library/hello:1',
  'docker.io/tools/hello:1',
  'quay.io/tools/hello:1',
  'registry.k8s.io/pause:3.9',
  'ghcr.io/team/app:1',
];
const SCHEMES = { http: ['--listen=[::]:80'], https: ['--tls=auto', '--listen=https://[::]:443', '--listen=[::]:80'] };
/** What an overlay of xcluster for the network does. */
const FAMILIES = {
  IPv4: 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6\n',
  IPv6: 'ip -4 addr flush dev eth0\nip -6 addr add fd00::c0a8:1/120 dev eth0 nodad\n',
};
/** IPv4 with plain http alone is vm.test.ts. */
const CASES = (
  [
    ['IPv6', 'https'],
    ['IPv6', 'http'],
    ['IPv4', 'https'],
    ['IPv4', 'http'],
  ] as const
).slice(0, isSoak ? undefined : 1);

describe.skipIf(vm.missing)(`VMs in a network of their own${vm.why}`, () => {
  let world: World;
  let network: VmNetwork;
  const ids: string[] = [];

  beforeAll(async () => {
    world = await newWorld();
    network = await startVmNetwork();
    await using upstream = await startUpstream();
    const hosts = NAMES.map((name) => name.split('/')[0] ?? '');
    await world.mirror(Object.fromEntries(hosts.map((host) => [host, `${upstream.host}/${host}`])));
    const layer = busyboxLayer();
    for (const name of NAMES) {
      const image = buildImage({ layers: [layer], cmd: ['/bin/echo', `OK ran ${name}`] });
      ids.push(image.blobs[0]?.digest.replace('sha256:', '') ?? '');
      upstream.addImage(name, image);
    }
    await world.must(['lreg_cache', ...NAMES]);
  });
  afterAll(async () => {
    await network[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  it.each(CASES)(
    'with %s alone, and %s: podman, ctr and CRI pull images of all hosts',
    async (family, scheme) => {
      const images = (...args: string[]) => network.must([join(ROOT, 'bin/images'), ...args], { env: world.env });
      const disks = [join(world.path, 'private-reg.tar'), join(world.path, 'network.tar')];
      await writeNetwork(FAMILIES[family], disks[1] as string);
      await images('lreg_start', ...SCHEMES[scheme]);
      try {
        await network.must([join(ROOT, 'ovl/private-reg/tar'), disks[0] as string], { env: world.env });
        const result = await runVm(`${SCRIPT}curl -sSo /dev/null ${scheme}://quay.io/v2/ && echo OK trusted\n`, {
          disks,
          card: await network.card(1),
        });
        expect(okLines(result), result.stdout).toEqual([
          ...[...ids, ids[0]].map((id) => `OK podman ${id}`),
          ...NAMES.map((name) => `OK ran ${name}`),
          ...[...ids, ids[0]].map((id) => `OK CRI ${id}`),
          'OK trusted',
        ]);
        expect(result.status, result.stdout).toBe(0);
      } finally {
        await images('lreg_stop');
      }
    },
    20 * MINUTE,
  );

  async function writeNetwork(script: string, file: string): Promise<void> {
    await mkdir(join(world.path, 'network/etc/init.d'), { recursive: true });
    await writeFile(join(world.path, 'network/etc/init.d/10network.rc'), script);
    await must('tar', ['-C', join(world.path, 'network'), '-cf', file, 'etc/init.d/10network.rc']);
  }
});

// CRI as kubelet asks it (gRPC: the image in two fields of a message, kubernetes/cri-api).
const SCRIPT = `set -eu
names='${NAMES.join(' ')}'
podman() { command podman "$@" 2>/tmp/err || { cat /tmp/err; exit 1; }; }
podman pull -q $names hello:1 | sed 's/^/OK podman /'
containerd >/tmp/containerd.log 2>&1 &
for i in $(seq 60); do ctr version >/dev/null 2>&1 && break; sleep 0.5; done
for image in $names; do
  ctr images pull --hosts-dir /etc/containerd/certs.d $image >/tmp/pull.log 2>&1 || { cat /tmp/pull.log /tmp/containerd.log; exit 1; }
  ctr run --rm --net-host $image one
done
byte() { printf "\\\\$(printf %o $1)"; }
for image in $names hello:1; do
  { printf '\\0\\0\\0\\0'; byte $((\${#image} + 4)); printf '\\n'; byte $((\${#image} + 2)); printf '\\n'; byte \${#image}; printf %s $image; } >/tmp/message
  curl -s --http2-prior-knowledge --unix-socket /run/containerd/containerd.sock -H 'content-type: application/grpc' -H 'te: trailers' \\
    --data-binary @/tmp/message -o /tmp/answer http://localhost/runtime.v1.ImageService/PullImage || { cat /tmp/containerd.log; exit 1; }
  echo "OK CRI $(tail -c 64 /tmp/answer)"
done
`;
