// From power-on to a container's first output, in a real VM under plain emulation: with pre-pulled images, and with the same image pulled from the registry.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildImage, busyboxLayer, pushImage } from '../test/fixtures/image.ts';
import { debianLayer } from '../test/fixtures/odd-layers.ts';
import { needs } from '../test/peers/find.ts';
import { must } from '../test/peers/process.ts';
import { newWorld, ROOT } from '../test/peers/program.ts';
import { runVm, vmNeeds } from '../test/peers/vm.ts';
import { median } from './measure.ts';
import { type Figure, plain } from './report.ts';

const IMAGE = 'docker.io/library/debian:1';
const RUN = 'podman run --rm --network=host --cgroups=disabled';
/** Seconds since power-on, as the VM's kernel counts them. */
const SCRIPT = `set -eu
${RUN} --pull=never ${IMAGE} && cut -d' ' -f1 /proc/uptime | sed 's/^/OK /'
`;
const PULLING = `set -eu
mkdir -p /etc/containers/registries.conf.d
printf '[[registry]]\\nprefix = "docker.io"\\nlocation = "192.168.0.250:80"\\ninsecure = true\\n' >/etc/containers/registries.conf.d/images.conf
printf '{"default":[{"type":"insecureAcceptAnything"}]}' >/etc/containers/policy.json
podman pull -q ${IMAGE} >/dev/null
${SCRIPT}`;

export async function vmFigures(rounds: number): Promise<readonly Figure[]> {
  const lacking = [vmNeeds(), needs('root', 'debootstrap', 'tar2sqfs')].map(({ why }) => why).join('');
  if (lacking !== '') {
    console.error(`bench: vm${lacking}`);
    return [];
  }
  await using world = await newWorld();
  const registry = await world.startRegistry();
  const image = buildImage({ layers: [await debianLayer(), busyboxLayer()], cmd: ['/bin/echo', 'hello'] });
  await pushImage(registry.base, 'library/debian:1', image);
  const disks = async (format: 'tar' | 'squashfs'): Promise<readonly string[]> => {
    const directory = join(world.path, format);
    await mkdir(directory);
    const store = join(directory, `images.${format}`);
    await world.must(['make', `--format=${format}`, `--tar=${store}`, IMAGE]);
    const overlay = join(directory, 'overlay.tar');
    await must(join(ROOT, 'ovl/images/tar'), [overlay], { env: { ...world.env, XCLUSTER_TMP: directory } });
    return [`--disk=${overlay}`, ...(format === 'squashfs' ? [`--disk=${store}`] : [])];
  };
  const ways = [
    ['a squashfs that all VMs share', SCRIPT, await disks('squashfs')],
    ['a tar that is unpacked', SCRIPT, await disks('tar')],
    ['pulling from the registry', PULLING, [`--forward=80=${registry.port}`]],
  ] as const;
  const figures: Figure[] = [];
  for (const [name, script, options] of ways) {
    const seconds: number[] = [];
    for (let round = 0; round < rounds; round++) seconds.push(await firstOutput(script, options));
    console.error(`bench: vm, ${name}: ${seconds.join(', ')} s`);
    figures.push(plain(`VM, power-on to a container's first output (Debian, 200 MB): ${name}`, median(seconds), ' s'));
  }
  return figures;
}

async function firstOutput(script: string, options: readonly string[]): Promise<number> {
  const { stdout } = await runVm(script, options);
  const seconds = /^OK ([\d.]+)$/m.exec(stdout)?.[1];
  if (seconds === undefined) throw new Error(stdout);
  return Number(seconds);
}
