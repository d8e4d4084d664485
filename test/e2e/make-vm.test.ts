// Real VMs boot with pre-pulled images: with a store of their own, with a shared one, and with an archive that containerd imports.
import { mkdir, rename } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { must } from '../peers/process.ts';
import { okLines, runVm, vmNeeds } from '../peers/vm.ts';
import { sharedStoreNeeds, VM_IMAGES, type VmImages, vmImages } from './testing/vm-images.ts';

const MINUTE = 60_000;
const vm = vmNeeds();

/** Runs podman as a node does: without flags that replace the VM's configuration. */
const PODMAN = `set -eu
. /etc/profile.d/images.sh
run() { podman run --rm --pull=never --network=host --cgroups=disabled "$@" 2>/tmp/err || { cat /tmp/err; exit 1; }; }
images --format '{{.Repository}}:{{.Tag}}' 2>/dev/null | sort | sed 's/^/OK listed /'
run docker.io/library/one:1; run docker.io/library/two:1; run quay.io/tools/three:1
grep -c '"docker.io/library/one:1"' /etc/crio/crio.conf.d/20-pinned-images.conf | sed 's/^/OK pinned /'
`;
const LISTED = VM_IMAGES.map((name) => `OK listed ${name}`);
const SAID = ['OK one', 'OK two', 'OK three'];

describe.skipIf(vm.missing)(`VMs with pre-pulled images${vm.why}`, () => {
  let images: VmImages;

  beforeAll(async () => {
    images = await vmImages();
  });
  afterAll(async () => {
    await images[Symbol.asyncDispose]();
  });

  it(
    'three at once, each with its store: list, run, remove one, run another that shares its layers',
    async () => {
      await images.world.must(['make', `--tar=${images.at('tmp/images.tar')}`, ...VM_IMAGES]);
      const disks = [await images.overlay()];
      const script = `${PODMAN}podman rmi docker.io/library/one:1 >/dev/null 2>&1 || exit 1
podman image exists docker.io/library/one:1 && exit 1
run docker.io/library/two:1 cat /shared | sed 's/^/OK /'\n`;
      const results = await Promise.all([1, 2, 3].map(() => runVm(script, { disks })));
      for (const result of results) {
        expect(result.status, result.stdout).toBe(0);
        expect(okLines(result)).toEqual([...LISTED, ...SAID, 'OK pinned 1', 'OK shared']);
      }
      await rename(images.at('tmp/images.tar'), images.at('used.tar'));
    },
    20 * MINUTE,
  );

  it.skipIf(sharedStoreNeeds.missing)(
    `three at once with one store between them${sharedStoreNeeds.why}`,
    async () => {
      await images.world.must(['make', '--format=squashfs', `--tar=${images.at('tmp/images.squashfs')}`, ...VM_IMAGES]);
      const disks = [await images.overlay(), images.at('tmp/images.squashfs')];
      const script = `${PODMAN}[ -e /var/lib/containers/storage/overlay-images/images.json ] && grep -q one /var/lib/containers/storage/overlay-images/images.json && exit 1
run docker.io/library/two:1 cat /shared | sed 's/^/OK /'\n`;
      const results = await Promise.all([1, 2, 3].map(() => runVm(script, { disks })));
      for (const result of results) {
        expect(result.status, result.stdout).toBe(0);
        expect(okLines(result)).toEqual([...LISTED, ...SAID, 'OK pinned 1', 'OK shared']);
      }
    },
    20 * MINUTE,
  );

  it(
    'whose containerd imports an archive',
    async () => {
      await mkdir(images.at('root/opt'), { recursive: true });
      await images.world.must([
        'make',
        '--format=oci-archive',
        `--tar=${images.at('root/opt/images.tar')}`,
        ...VM_IMAGES,
      ]);
      await must('tar', ['-C', images.at('root'), '-cf', images.at('disk.tar'), 'opt']);
      const result = await runVm(CONTAINERD, { disks: [images.at('disk.tar')] });
      expect(result.status, result.stdout).toBe(0);
      expect(okLines(result)).toEqual([...LISTED.toSorted(), ...SAID]);
    },
    20 * MINUTE,
  );
});

const CONTAINERD = `set -eu
cat >/tmp/containerd.toml <<TOML
version = 2
root = "/var/tmp/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "/run/containerd.sock"
TOML
containerd -c /tmp/containerd.toml >/tmp/containerd.log 2>&1 &
ctr() { command ctr -a /run/containerd.sock -n k8s.io "$@"; }
for i in $(seq 60); do ctr version >/dev/null 2>&1 && break; sleep 0.5; done
ctr images import /opt/images.tar >/tmp/import.log 2>&1 || { cat /tmp/import.log /tmp/containerd.log; exit 1; }
ctr images ls -q | grep -v '@' | sort | sed 's/^/OK listed /'
ctr run --rm --net-host docker.io/library/one:1 a; ctr run --rm --net-host docker.io/library/two:1 b; ctr run --rm --net-host quay.io/tools/three:1 c
`;
