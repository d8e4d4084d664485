// Real VMs boot with images for containerd in place: each with a store of its own, and three with one store between them. No network.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { okLines, runVm, vmNeeds } from '../peers/vm.ts';
import { sharedStoreNeeds, VM_IMAGES, type VmImages, vmImages } from './testing/vm-images.ts';

const MINUTE = 60_000;
const vm = vmNeeds();

const BEGIN = `set -eu
cat >/tmp/containerd.toml <<TOML
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "/run/containerd.sock"
TOML
ctr() { command ctr -a /run/containerd.sock -n k8s.io "$@"; }
start() {
  containerd -c /tmp/containerd.toml >>/tmp/containerd.log 2>&1 &
  pid=$!
  for i in $(seq 120); do ctr version >/dev/null 2>&1 && break; sleep 0.5; done
}
run() { ctr run --rm --net-host "$@" || { tail -5 /tmp/containerd.log; exit 1; }; }
start
ctr images ls -q | grep -v '@' | grep -v ^sha256 | sort | sed 's/^/OK listed /'
run docker.io/library/one:1 a
ctr images rm --sync $(ctr images ls -q | grep /one) >/dev/null
`;

/** Starts containerd twice, as a restart of the VM does, and runs the boot script again in between. */
const RESTARTED = `${BEGIN}run quay.io/tools/three:1 b
kill $pid; wait $pid || true
sh /etc/init.d/20images.rc >/dev/null
start
ctr images ls -q | grep -c '/one' | sed 's/^/OK left /' || true
run docker.io/library/two:1 c /bin/cat /shared | sed 's/^/OK /'
`;
/** Several at once are slow. */
const SHARED = `${BEGIN}run docker.io/library/two:1 b /bin/cat /shared | sed 's/^/OK /'
du -sk /var/lib/containerd | (read size _; [ $size -lt 1000 ] && echo "OK small")
`;
const LISTED = VM_IMAGES.map((name) => `OK listed ${name}`);

describe.skipIf(vm.missing)(`VMs with images for containerd${vm.why}`, () => {
  let images: VmImages;

  beforeAll(async () => {
    images = await vmImages();
  });
  afterAll(async () => {
    await images[Symbol.asyncDispose]();
  });

  it(
    'list, run and remove them, also after a restart',
    async () => {
      await images.world.must([
        'make',
        '--format=containerd',
        `--tar=${images.at('tmp/images-containerd.tar')}`,
        ...VM_IMAGES,
      ]);
      const result = await runVm(RESTARTED, [`--disk=${await images.overlay()}`]);
      expect(result.status, result.stdout).toBe(0);
      expect(okLines(result)).toEqual([...LISTED, 'OK one', 'OK three', 'OK left 0', 'OK shared']);
    },
    10 * MINUTE,
  );

  it.skipIf(sharedStoreNeeds.missing)(
    `do the same, three at once, with one store between them${sharedStoreNeeds.why}`,
    async () => {
      const store = images.at('tmp/images-containerd.squashfs');
      await images.world.must(['make', '--format=containerd-squashfs', `--tar=${store}`, ...VM_IMAGES]);
      const disks = [`--disk=${await images.overlay()}`, `--disk=${store}`];
      const results = await Promise.all([1, 2, 3].map(() => runVm(SHARED, disks)));
      for (const result of results) {
        expect(result.status, result.stdout).toBe(0);
        expect(okLines(result)).toEqual([...LISTED, 'OK one', 'OK shared', 'OK small']);
      }
    },
    10 * MINUTE,
  );
});
