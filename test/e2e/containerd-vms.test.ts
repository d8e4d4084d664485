// Real VMs boot with images for containerd in place: each with a store of its own, or all with one store between them. They list, run and remove images, pull another
// one on the same layers, and containerd collects what nothing needs any more. `npm run soak containerd-vms`: three at once, which then boot again.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { must } from '../peers/process.ts';
import { ROOT } from '../peers/program.ts';
import { okLines, runVm, type VmOptions, type VmResult, vmNeeds } from '../peers/vm.ts';
import { isSoak } from '../testing/soak.ts';
import { sharedStoreNeeds, VM_IMAGES, type VmImages, vmImages } from './testing/vm-images.ts';

const MINUTE = 60_000;
const vm = vmNeeds();
const VMS = isSoak ? ['1', '2', '3'] : ['1'];

/** CRI as kubelet asks it (gRPC: the image in two fields of a message, kubernetes/cri-api); the answer of ImageStatus holds the names as they are. */
const BEGIN = `set -eu
ctr() { command ctr -n k8s.io "$@"; }
start() {
  containerd >>/tmp/containerd.log 2>&1 &
  pid=$!
  for i in $(seq 300); do ctr version >/dev/null 2>&1 && break; sleep 0.2; done
}
end() { tail -5 /tmp/containerd.log; exit 1; }
run() { ctr run --rm --net-host "$@" || end; }
byte() { printf "\\\\$(printf %o $1)"; }
cri() {
  { printf '\\0\\0\\0\\0'; byte $((\${#2} + 4)); printf '\\n'; byte $((\${#2} + 2)); printf '\\n'; byte \${#2}; printf %s $2; } >/tmp/message
  curl -s --http2-prior-knowledge --unix-socket /run/containerd/containerd.sock -H 'content-type: application/grpc' -H 'te: trailers' \\
    --data-binary @/tmp/message -o /tmp/answer http://localhost/runtime.v1.ImageService/$1 || end
}
listed() { ctr images ls -q | grep -v '@' | grep -v ^sha256 | sort | sed "s/^/OK $1 /"; }
store=/var/lib/containerd/io.containerd
held() {
  echo "OK $1: $(ctr content ls -q | wc -l) blobs, $(ls $store.content.v1.content/blobs/sha256 | wc -l) files," \\
    "$(ctr snapshots ls | tail -n +2 | wc -l) snapshots, $(ls $store.snapshotter.v1.overlayfs/snapshots | wc -l) directories, $(ctr leases ls -q | wc -l) leases"
}
# What is removed is gone from the disk a moment later.
settled() { for i in $(seq 50); do [ "$(ls $store.snapshotter.v1.overlayfs/snapshots | wc -l)" = $1 ] && break; sleep 0.2; done; }
start
`;

const FIRST = `${BEGIN}
listed first
# It is ready a moment after containerd.
for i in $(seq 50); do cri ImageStatus two:1; grep -aq docker.io/library/two:1 /tmp/answer && break; sleep 0.2; done
grep -ao 'docker.io/library/two:1' /tmp/answer | head -1 | sed 's/^/OK CRI /'
held made
run docker.io/library/one:1 a
cri RemoveImage docker.io/library/one:1
settled 4; held removed
run docker.io/library/two:1 b /bin/cat /shared | sed 's/^/OK /'
ctr images pull --hosts-dir /etc/containerd/certs.d docker.io/library/four:1 >/tmp/pull.log 2>&1 || { cat /tmp/pull.log; end; }
run docker.io/library/four:1 c
settled 5; held pulled
ctr content prune references >/dev/null
held pruned
kill $pid; wait $pid || true
for script in /etc/init.d/20images.rc /etc/init.d/28private-reg.rc; do sh $script >/dev/null; done
start
run quay.io/tools/three:1 d
listed then
du -sk /var/lib/containerd | (read size _; [ $size -lt 1000 ] && echo "OK small" || echo "OK large")
`;
const AT_FIRST = [
  ...VM_IMAGES.map((name) => `OK first ${name}`),
  'OK CRI docker.io/library/two:1',
  // Of three images: a manifest, a config and a layer each, and two layers that they share.
  'OK made: 11 blobs, 11 files, 5 snapshots, 5 directories, 0 leases',
  'OK one',
  'OK removed: 8 blobs, 8 files, 4 snapshots, 4 directories, 0 leases',
  'OK shared',
  'OK four',
  'OK pulled: 11 blobs, 11 files, 5 snapshots, 5 directories, 0 leases',
  // Containers need no layers.
  'OK pruned: 6 blobs, 6 files, 5 snapshots, 5 directories, 0 leases',
  'OK three',
  'OK then docker.io/library/four:1',
  'OK then docker.io/library/two:1',
  'OK then quay.io/tools/three:1',
];

/** After a boot from the same disk: what was removed stays removed, what was pulled is there. */
const AGAIN = `${BEGIN}
listed again
run docker.io/library/four:1 a
run docker.io/library/two:1 b
`;
const STILL = [...AT_FIRST.slice(-3).map((line) => line.replace('then', 'again')), 'OK four', 'OK two'];

/** As if nothing had happened. */
const ANEW = `${BEGIN}
listed anew
run docker.io/library/one:1 a
ctr images pull --hosts-dir /etc/containerd/certs.d docker.io/library/four:1 >/tmp/pull.log 2>&1 || { cat /tmp/pull.log; end; }
run docker.io/library/four:1 b
settled 6; held anew
`;
const AS_MADE = [
  ...VM_IMAGES.map((name) => `OK anew ${name}`),
  'OK one',
  'OK four',
  'OK anew: 14 blobs, 14 files, 6 snapshots, 6 directories, 0 leases',
];

describe.skipIf(vm.missing)(`VMs with images for containerd${vm.why}`, () => {
  let images: VmImages;
  let privateRegistry: string;

  beforeAll(async () => {
    images = await vmImages();
    privateRegistry = images.at('private-reg.tar');
    const env = { ...images.world.env, __net_setup: '/x/net-setup-userspace.sh' };
    await must(join(ROOT, 'ovl/private-reg/tar'), [privateRegistry], { env });
  });
  afterAll(async () => {
    await images[Symbol.asyncDispose]();
  });

  /** All VMs at the same time. */
  async function boot(script: string, expected: readonly string[], options: (vm: string) => VmOptions): Promise<void> {
    const { port } = images.registry;
    const forwards = { 80: port, [port]: port };
    const results = await Promise.all(VMS.map((name) => runVm(script, { forwards, ...options(name) })));
    for (const result of results) expectAll(result, expected);
  }

  it(
    `each with a store of its own: ${VMS.length}${isSoak ? ' at once, and again from their disks' : ''}`,
    async () => {
      const store = images.at('tmp/images-containerd.tar');
      await images.world.must(['make', '--format=containerd', `--tar=${store}`, ...VM_IMAGES]);
      const disks = [await images.overlay(), privateRegistry];
      const disk = (name: string) => (isSoak ? { disk: images.at(`own-${name}.ext4`) } : {});
      await boot(FIRST, [...AT_FIRST, 'OK large'], (name) => ({ disks, ...disk(name) }));
      if (!isSoak) return;
      await boot(AGAIN, STILL, (name) => ({ disks: [privateRegistry], ...disk(name) }));
      // Where the archive is unpacked at each boot, over what there is.
      await boot(ANEW, AS_MADE, (name) => ({ disks, ...disk(name) }));
      await boot(ANEW, AS_MADE, () => ({ disks }));
    },
    30 * MINUTE,
  );

  it.skipIf(sharedStoreNeeds.missing)(
    `with one store between them: ${VMS.length}${isSoak ? ' at once, and again from their disks' : ''}${sharedStoreNeeds.why}`,
    async () => {
      const store = images.at('tmp/images-containerd.squashfs');
      await images.world.must(['make', '--format=containerd-squashfs', `--tar=${store}`, ...VM_IMAGES]);
      const disks = [await images.overlay(), privateRegistry, store];
      const disk = (name: string) => (isSoak ? { disk: images.at(`shared-${name}.ext4`) } : {});
      await boot(FIRST, [...AT_FIRST, 'OK small'], (name) => ({ disks, ...disk(name) }));
      if (!isSoak) return;
      await boot(AGAIN, STILL, (name) => ({ disks, ...disk(name) }));
      await boot(ANEW, AS_MADE, () => ({ disks }));
    },
    30 * MINUTE,
  );
});

function expectAll(result: VmResult, expected: readonly string[]): void {
  expect(okLines(result), result.stdout).toEqual(expected);
  expect(result.status, result.stdout).toBe(0);
}
