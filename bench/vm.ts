// From power-on to a container's first output, in a real VM under plain emulation, by each of the ways in which its podman or containerd gets the image; with what
// that takes of the VM's disk and memory, and of the processor, which says the same on a busy machine.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildImage, busyboxLayer, pushImage } from '../test/fixtures/image.ts';
import { debianLayer } from '../test/fixtures/odd-layers.ts';
import { startDockerRegistry } from '../test/peers/docker-registry.ts';
import { needs } from '../test/peers/find.ts';
import { must } from '../test/peers/process.ts';
import { newWorld, ROOT, type World } from '../test/peers/program.ts';
import { runVm, type VmOptions, vmNeeds } from '../test/peers/vm.ts';
import { median } from './measure.ts';
import { atLeast, atMost, type Figure, plain } from './report.ts';

const NAME = 'library/debian:1';
const IMAGE = `docker.io/${NAME}`;

/** Seconds since power-on, as the VM's kernel counts them; MB of the stores on its disk, and of memory that is not available. */
const TOLD = `read -r up _ </proc/uptime
disk=$(du -sk /var/lib/containers /var/lib/containerd 2>/dev/null | awk '{ sum += $1 } END { print sum / 1000 }')
memory=$(awk '/^MemTotal/ { all = $2 } /^MemAvailable/ { print (all - $2) / 1000 }' /proc/meminfo)
echo "OK $up $disk $memory"
`;
const PODMAN = `set -eu
run() { podman run --rm --network=host --cgroups=disabled --pull=never ${IMAGE}; }
`;
const CONTAINERD = `set -eu
started() {
  containerd >/tmp/containerd.log 2>&1 &
  for i in $(seq 600); do ctr version >/dev/null 2>&1 && return; sleep 0.1; done
}
run() { ctr -n k8s.io run --rm --net-host ${IMAGE} one; }
`;

interface Way {
  readonly name: string;
  readonly script: string;
  readonly options: VmOptions;
}

export async function vmFigures(rounds: number): Promise<readonly Figure[]> {
  const lacking = [vmNeeds('docker-registry'), needs('root', 'debootstrap', 'tar2sqfs')].map(({ why }) => why).join('');
  if (lacking !== '') {
    console.error(`bench: vm${lacking}`);
    return [];
  }
  await using upstream = await startDockerRegistry();
  await using world = await newWorld();
  const image = buildImage({ layers: [await debianLayer(), busyboxLayer()], cmd: ['/bin/echo', 'hello'] });
  await pushImage(upstream.base, `docker.io/${NAME}`, image);
  await world.mirror({ 'docker.io': `${upstream.host}/docker.io` });
  const registry = await world.startRegistry();
  await world.must(['lreg_cache', IMAGE]);
  const told = new Map<string, readonly Boot[]>();
  for (const way of [...(await prePulled(world)), ...(await pulled(world, registry.port))]) {
    told.set(way.name, await boots(way, rounds));
  }
  // The first VM alone finds nothing, so each has a registry of its own.
  for (const nth of [0, 1]) {
    await using empty = await newWorld();
    await empty.mirror({ 'docker.io': `${upstream.host}/docker.io` });
    const { port } = await empty.startRegistry(['--proxy']);
    const way = (await pulled(empty, port, ', fetched on the way'))[nth];
    if (way) told.set(way.name, await boots(way, 1));
  }
  return [...told].flatMap(([name, all]) => figuresOf(name, all)).concat(comparisons(told));
}

async function prePulled(world: World): Promise<readonly Way[]> {
  const made = async (format: string, file: string): Promise<string> => {
    const directory = join(world.path, format);
    await mkdir(directory, { recursive: true });
    await world.must(['make', `--format=${format}`, `--tar=${join(directory, file)}`, IMAGE]);
    return join(directory, file);
  };
  const overlay = async (store: string): Promise<string> => {
    const file = `${store}.overlay`;
    await must(join(ROOT, 'ovl/images/tar'), [file], { env: { ...world.env, IMAGES_TAR: store } });
    return file;
  };
  const [squashfs, tar] = [await made('squashfs', 'images.squashfs'), await made('tar', 'images.tar')];
  const [shared, whole] = [await made('containerd-squashfs', 'one.squashfs'), await made('containerd', 'one.tar')];
  const archive = await made('oci-archive', 'images.tar');
  const imported = join(world.path, 'import.tar');
  await must('tar', ['-C', join(archive, '..'), '--transform=s|^|opt/|', '-cf', imported, 'images.tar']);
  const mounting =
    'mkdir -p /usr/lib/images/containerd; mount -o ro /dev/vdc /usr/lib/images/containerd; tar -C / -xf /usr/lib/images/containerd/containerd.tar\n';
  const importing = 'started; ctr -n k8s.io images import /opt/images.tar >/dev/null; rm /opt/images.tar; run\n';
  return [
    { name: 'podman, one squashfs', script: `${PODMAN}run\n`, options: { disks: [await overlay(squashfs), squashfs] } },
    { name: 'podman, a tar', script: `${PODMAN}run\n`, options: { disks: [await overlay(tar)] } },
    {
      name: 'containerd, one squashfs',
      script: `${CONTAINERD}${mounting}started; run\n`,
      options: { disks: [shared] },
    },
    { name: 'containerd, a tar', script: `${CONTAINERD}started; run\n`, options: { disks: [whole] } },
    { name: 'containerd, import', script: `${CONTAINERD}${importing}`, options: { disks: [imported] } },
  ];
}

async function pulled(world: World, port: number, how = ''): Promise<readonly Way[]> {
  const tar = join(world.path, 'private-reg.tar');
  await must(join(ROOT, 'ovl/private-reg/tar'), [tar], {
    env: { ...world.env, __net_setup: '/x/net-setup-userspace.sh' },
  });
  const options = { disks: [tar], forwards: { 80: port, [port]: port } };
  const pulling = `started; ctr -n k8s.io images pull --hosts-dir /etc/containerd/certs.d ${IMAGE} >/dev/null; run\n`;
  return [
    { name: `podman, a pull${how}`, script: `${PODMAN}podman pull -q ${IMAGE} >/dev/null; run\n`, options },
    { name: `containerd, a pull${how}`, script: `${CONTAINERD}${pulling}`, options },
  ];
}

interface Boot {
  readonly seconds: number;
  readonly disk: number;
  readonly memory: number;
  readonly processor: number;
}

async function boots({ name, script, options }: Way, rounds: number): Promise<readonly Boot[]> {
  const all: Boot[] = [];
  for (let round = 0; round < rounds; round++) {
    const { stdout, processor } = await runVm(`${script}${TOLD}`, options);
    const [seconds, used, memory] = (/^OK ([\d. ]+)$/m.exec(stdout)?.[1] ?? '').split(' ').map(Number);
    if (seconds === undefined || used === undefined || memory === undefined) {
      console.error(`bench: vm, ${name}: no answer in time\n${stdout.slice(-2000)}`);
      break;
    }
    all.push({ seconds, disk: used, memory, processor });
  }
  console.error(`bench: vm, ${name}: ${all.map((boot) => JSON.stringify(boot)).join(', ')}`);
  return all;
}

function figuresOf(name: string, all: readonly Boot[]): readonly Figure[] {
  if (all.length === 0) return [];
  const of = (key: keyof Boot) => median(all.map((boot) => boot[key]));
  return [
    plain(`VM, power-on to a container's first output (Debian, 200 MB): ${name}`, of('seconds'), ' s'),
    plain(`the processor's time for all of that VM: ${name}`, of('processor'), ' s'),
    plain(`its store on the VM's disk: ${name}`, of('disk'), ' MB'),
    plain(`memory in use then: ${name}`, of('memory'), ' MB'),
  ];
}

function comparisons(told: ReadonlyMap<string, readonly Boot[]>): readonly Figure[] {
  const seconds = (name: string) => median((told.get(name) ?? []).map((boot) => boot.seconds));
  return [
    atLeast('containerd: import / a tar', seconds('containerd, import') / seconds('containerd, a tar'), 3, ' ×'),
    atMost(
      'one squashfs: containerd / podman',
      seconds('containerd, one squashfs') / seconds('podman, one squashfs'),
      1,
      ' ×',
    ),
  ];
}
