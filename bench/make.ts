// Pre-pulled images: four, two that share 600 MB of layers and two of 10 MB, made of this machine's own files. The old way with a warm daemon (docker →
// skopeo → containers-storage → tar), `images make` from the store, the limit (inflate, hash, write), and one small image changed with --update.
import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  blob,
  buildImage,
  busyboxLayer,
  type FixtureLayer,
  layerOf,
  pushImage,
  sha256,
} from '../test/fixtures/image.ts';
import { startDockerd } from '../test/peers/dockerd.ts';
import { needs } from '../test/peers/find.ts';
import { must } from '../test/peers/process.ts';
import { newWorld, ROOT } from '../test/peers/program.ts';
import { temporaryDirectory } from '../test/peers/temporary.ts';
import { type Command, measure, median, medianRatio } from './measure.ts';
import { atLeast, atMost, type Figure, plain } from './report.ts';

const MB = 1_000_000;
const IMAGES = ['big-a', 'big-b', 'small-a', 'small-b'].map((name) => `docker.io/library/${name}:1`);
const CHANGED = [...IMAGES.slice(0, 3), 'docker.io/library/small-c:1'];

type Way = 'limit' | 'make' | 'containerd' | 'old' | 'fresh' | 'update' | 'copy';

export async function makeFigures(rounds: number): Promise<readonly Figure[]> {
  const lacking = needs('root', 'dockerd', 'docker', 'skopeo', 'busybox');
  if (lacking.missing) {
    console.error(`bench: make${lacking.why}`);
    return [];
  }
  await using world = await newWorld();
  await using scratch = await temporaryDirectory('bench');
  await using docker = await startDockerd();
  const layers = await pushImages(world.data, (await world.startRegistry()).base);
  const archive = join(scratch.path, 'docker.tar');
  await world.must(['make', '--format=docker-archive', `--tar=${archive}`, ...IMAGES]);
  await docker.docker(['load', '-q', '-i', archive]);
  await rm(archive);

  const [out, other] = [join(scratch.path, 'images.tar'), join(scratch.path, 'other.tar')];
  const make = (...args: readonly string[]): Command => ({
    command: join(ROOT, 'bin/images'),
    args: ['make', `--tar=${out}`, ...args],
    options: { env: world.env },
  });
  const old = [join(ROOT, 'bench/old-make.sh'), [docker.host, scratch.path, out, ...IMAGES]] as const;
  const commands: Readonly<Record<Way, Command>> = {
    limit: { command: process.execPath, args: [join(ROOT, 'bench/limit-make.mjs'), out, ...layers] },
    make: make(...IMAGES),
    containerd: make('--format=containerd', ...IMAGES),
    old: { command: old[0], args: old[1] },
    fresh: make(...CHANGED),
    update: make('--update', ...CHANGED),
    // As --update does it: the file is replaced in one step, which makes some file systems write it out.
    copy: { command: 'sh', args: ['-c', 'cp "$0" "$1" && mv "$1" "$0"', out, other] },
  };
  const once = async (way: Way): Promise<number> => {
    if (way === 'update') await measure(commands.make);
    else if (way !== 'copy') await rm(out, { force: true });
    await rm(other, { force: true });
    // What was written before must not be written to the disk on this one's time.
    await must('sync', []);
    return (await measure(commands[way])).seconds;
  };
  const ways: readonly Way[] = ['limit', 'make', 'containerd', 'old', 'fresh', 'update', 'copy'];
  const seconds: Record<Way, number[]> = {
    limit: [],
    make: [],
    containerd: [],
    old: [],
    fresh: [],
    update: [],
    copy: [],
  };
  await once('make');
  const size = (await stat(out)).size;
  for (let round = 0; round < rounds; round++) {
    for (const way of ways) seconds[way].push(await once(way));
    console.error(`bench: ${ways.map((way) => `${way} ${seconds[way].at(-1)?.toFixed(2)} s`).join(', ')}`);
  }
  const { peak } = await measure(commands.make, 'memory');
  const [updating, copying] = [median(seconds.update), medianRatio(seconds.update, seconds.copy)];
  return [
    plain('pre-pulled: the archive of four images', size / MB, ' MB'),
    plain('pre-pulled: docker → skopeo → containers-storage → tar', median(seconds.old), ' s'),
    plain('pre-pulled: images make', median(seconds.make), ' s'),
    plain('pre-pulled: the limit (inflate, sha256, write)', median(seconds.limit), ' s'),
    atLeast('pre-pulled: the old way / images make', medianRatio(seconds.old, seconds.make), 12, ' ×'),
    atMost('pre-pulled: images make / the limit', medianRatio(seconds.make, seconds.limit), 1.5, ' ×'),
    atMost('pre-pulled: for containerd / for podman', medianRatio(seconds.containerd, seconds.make), 1.5, ' ×'),
    atMost('pre-pulled: memory of images make', peak, 200, ' MB'),
    plain('pre-pulled: --update of one of 10 MB', updating, ' s'),
    plain('pre-pulled: from scratch / --update', medianRatio(seconds.fresh, seconds.update), ' ×'),
    atMost('pre-pulled: --update / replacing the file by a copy', copying, 2, ' ×'),
  ];
}

/** Paths of the unique layers' blobs, for the limit. */
async function pushImages(data: string, base: string): Promise<readonly string[]> {
  const busybox = busyboxLayer();
  const [first, second, ...small] = await realLayers([300 * MB, 300 * MB, 10 * MB, 10 * MB, 10 * MB]);
  if (!first || !second) throw new Error('no layers');
  const own = layerOf([{ name: 'own', data: randomBytes(1000) }]);
  const says = (layers: readonly FixtureLayer[]) => buildImage({ layers, cmd: ['/bin/sh'], kind: 'docker' });
  await pushImage(base, 'library/big-a:1', says([busybox, first, second]));
  await pushImage(base, 'library/big-b:1', says([busybox, first, second, own]));
  for (const [at, layer] of small.entries()) {
    await pushImage(base, `library/small-${'abc'[at]}:1`, says([busybox, layer]));
  }
  return [busybox, first, second, own, ...small.slice(0, 2)].map(({ digest }) => {
    const hex = digest.slice('sha256:'.length);
    return join(data, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
  });
}

/** Layers of this machine's files, each of about so many bytes, no file twice; compressed as docker push does. */
async function realLayers(sizes: readonly number[]): Promise<readonly FixtureLayer[]> {
  await using scratch = await temporaryDirectory('files');
  // Many small files, and larger ones: as images of distributions have them.
  const [data, libraries] = [filesOf('/usr/share'), filesOf('/usr/lib')];
  const layers: FixtureLayer[] = [];
  for (const [at, size] of sizes.entries()) {
    const files = at === 1 ? libraries : data;
    const names: string[] = [];
    for (let sum = 0; sum < size; ) {
      const { value, done } = await files.next();
      if (done) throw new Error('this machine has too few files below /usr');
      names.push(value.path);
      sum += value.size;
    }
    const list = join(scratch.path, 'list');
    const archive = join(scratch.path, 'layer.tar');
    await writeFile(list, names.join('\0'));
    await must('tar', ['-C', '/', '--null', '-T', list, '--numeric-owner', '--mtime=@1700000000', '-cf', archive]);
    const bytes = await readFile(archive);
    layers.push({ ...blob('', gzipSync(bytes, { level: 6 })), diffId: sha256(bytes) });
  }
  return layers;
}

async function* filesOf(
  directory: string,
): AsyncGenerator<{ readonly path: string; readonly size: number }, undefined> {
  const entries = await readdir(directory, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* filesOf(path);
    else if (entry.isFile()) {
      const { size, nlink } = await stat(path);
      if (nlink === 1) yield { path: path.slice(1), size };
    }
  }
  return undefined;
}
