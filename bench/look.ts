// Looking into a real image of some 600 MB, and moving it: against docker and skopeo, and the limit of inflating its layers. Needs root with docker.io and debootstrap.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianArchive } from '../test/peers/debian.ts';
import { startDockerRegistry } from '../test/peers/docker-registry.ts';
import { startDockerd } from '../test/peers/dockerd.ts';
import { needs } from '../test/peers/find.ts';
import { must } from '../test/peers/process.ts';
import { newWorld, ROOT } from '../test/peers/program.ts';
import { temporaryDirectory } from '../test/peers/temporary.ts';
import { manyFiles } from './many-files.ts';
import { type Command, measure, median, medianRatio } from './measure.ts';
import { atLeast, atMost, type Figure, plain } from './report.ts';

const IMAGE = 'bench/large:1';
const SKOPEO_MEMORY = '/var/lib/containers/cache';
const DOCKERFILE = `FROM debian:base
RUN cp -a /usr /copy1
RUN cp -a /usr /copy2 && cp -a /var /copy3
RUN cp -a /usr /copy4 && rm -rf /copy1/share/doc
`;

export async function lookFigures(rounds: number): Promise<readonly Figure[]> {
  const lacking = needs('root', 'dockerd', 'docker', 'debootstrap');
  if (lacking.missing) {
    console.error(`bench: look${lacking.why}`);
    return [];
  }
  await using docker = await startDockerd();
  await using registry = await startDockerRegistry();
  // skopeo remembers what it reads from a registry, and mounts from there.
  await using upstream = await startDockerRegistry();
  await using scratch = await temporaryDirectory('bench');
  await using world = await newWorld();
  const env = { DOCKER_HOST: docker.host };
  await writeFile(join(scratch.path, 'Dockerfile'), DOCKERFILE);
  await docker.docker(['import', await debianArchive(), 'debian:base']);
  await docker.docker(['build', '-q', '-t', IMAGE, scratch.path]);
  await world.must(['lreg_upload', IMAGE], { env });
  await world.must(['copy', IMAGE, `docker://${upstream.host}/${IMAGE}`]);
  const blobs = await layerFiles(world.data, await world.must(['inspect', '--json', IMAGE]));

  const program = (...args: readonly string[]): Command => ({
    command: join(ROOT, 'bin/images'),
    args,
    options: { env: world.env },
  });
  const inDocker = (...args: readonly string[]): Command => ({
    ...program(...args),
    options: { env: { ...world.env, ...env } },
  });
  const shell = (script: string): Command => ({
    command: 'bash',
    args: ['-euc', script],
    options: { env, cwd: scratch.path },
  });
  /** skopeo's memory of registries is the machine's: here it has one of its own, which can be emptied. */
  await using memory = await temporaryDirectory('bench');
  await mkdir(SKOPEO_MEMORY, { recursive: true });
  const skopeo = (script: string): Command => ({
    command: 'unshare',
    args: ['--mount', 'bash', '-euc', `mount --bind ${memory.path} ${SKOPEO_MEMORY}; exec skopeo copy -q ${script}`],
    options: { env, cwd: scratch.path },
  });
  const target = join(scratch.path, 'target');
  const commands: Readonly<Record<string, Command>> = {
    export: program('docker_export', '--output=/dev/null', IMAGE),
    exportAgain: program('docker_export', '--output=/dev/null', IMAGE),
    exportOld: shell(`c=$(docker create ${IMAGE} x); docker export $c >/dev/null; docker rm $c >/dev/null`),
    inflate: { command: process.execPath, args: [join(ROOT, 'bench/inflate.mjs'), ...blobs] },
    layers: program('docker_ls_layers', IMAGE),
    layersAgain: program('docker_ls_layers', IMAGE),
    layersOld: shell(`docker save ${IMAGE} | tar x; for l in */layer.tar; do tar tf $l; done >/dev/null; rm -rf *`),
    cat: program('cat', IMAGE, '/copy4/lib/os-release'),
    fromDaemon: inDocker('copy', `docker-daemon:${IMAGE}`, `docker://${registry.host}/ours/large:1`),
    elsewhere: inDocker('copy', `docker-daemon:${IMAGE}`, `docker://${registry.host}/ours/again:1`),
    fromDaemonOld: skopeo(
      `--src-daemon-host=$DOCKER_HOST --dest-tls-verify=false docker-daemon:${IMAGE} docker://${registry.host}/theirs/large:1`,
    ),
    elsewhereOld: skopeo(
      `--src-daemon-host=$DOCKER_HOST --dest-tls-verify=false docker-daemon:${IMAGE} docker://${registry.host}/theirs/again:1`,
    ),
    toLayout: program('copy', `docker://${upstream.host}/${IMAGE}`, `oci:${target}:1`),
    toLayoutOld: skopeo(`--src-tls-verify=false docker://${upstream.host}/${IMAGE} oci:${target}:1`),
  };
  const times = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, command] of Object.entries(commands)) {
      if (name === 'export' || name === 'layers')
        await rm(join(world.data, 'images/indexes'), { recursive: true, force: true });
      if (name.startsWith('fromDaemon')) {
        await forget(registry.data, world.env.XDG_CACHE_HOME);
        await rm(memory.path, { recursive: true });
        await mkdir(memory.path);
      }
      if (name.startsWith('toLayout')) await rm(target, { recursive: true, force: true });
      await must('sync', []);
      times.set(name, [...(times.get(name) ?? []), (await measure(command)).seconds]);
    }
  }
  const of = (name: string) => times.get(name) ?? [];
  return [
    plain('600 MB image: inflating its layers, the limit', median(of('inflate')), ' s'),
    plain('600 MB image: docker create, docker export', median(of('exportOld')), ' s'),
    plain('600 MB image: docker_export from the store', median(of('export')), ' s'),
    atLeast('docker create, export / docker_export', medianRatio(of('exportOld'), of('export')), 2, ' ×'),
    atMost('docker_export / inflating', medianRatio(of('export'), of('inflate')), 1.5, ' ×'),
    atLeast('docker create, export / docker_export again', medianRatio(of('exportOld'), of('exportAgain')), 2, ' ×'),
    atLeast('docker save, tar t / docker_ls_layers', medianRatio(of('layersOld'), of('layers')), 3, ' ×'),
    atLeast('docker save, tar t / docker_ls_layers again', medianRatio(of('layersOld'), of('layersAgain')), 3, ' ×'),
    plain('cat of a file, looked into before', median(of('cat')), ' s'),
    plain('docker-daemon → docker-registry, skopeo', median(of('fromDaemonOld')), ' s'),
    atLeast(
      'docker-daemon → docker-registry: skopeo / copy',
      medianRatio(of('fromDaemonOld'), of('fromDaemon')),
      1,
      ' ×',
    ),
    plain('the same to another repository, skopeo', median(of('elsewhereOld')), ' s'),
    atLeast('the same to another repository: skopeo / copy', medianRatio(of('elsewhereOld'), of('elsewhere')), 1, ' ×'),
    plain('docker-registry → oci, skopeo', median(of('toLayoutOld')), ' s'),
    atLeast('docker-registry → oci: skopeo / copy', medianRatio(of('toLayoutOld'), of('toLayout')), 1, ' ×'),
    ...(await memoryFigures()),
  ];
}

/** 100,000 files, 5 GB. */
async function memoryFigures(): Promise<readonly Figure[]> {
  await using scratch = await temporaryDirectory('bench');
  await using world = await newWorld();
  const place = `oci:${await manyFiles(join(scratch.path, 'layout'), { files: 100_000, bytes: 50_000 })}:1`;
  const run = (command: string) =>
    measure({ command: join(ROOT, 'bin/images'), args: [command, place], options: { env: world.env } }, 'memory');
  return [
    atMost('docker_export, peak memory, 100,000 files, 5 GB', (await run('docker_export')).peak, 200, ' MB'),
    atMost('docker_ls, peak memory, 100,000 files, 5 GB', (await run('docker_ls')).peak, 200, ' MB'),
  ];
}

/** The blobs of the layers in the store. */
async function layerFiles(data: string, inspected: string): Promise<readonly string[]> {
  const { layers } = JSON.parse(inspected) as { readonly layers: readonly { readonly digest: string }[] };
  return layers.map(({ digest }) => {
    const hex = digest.slice('sha256:'.length);
    return join(data, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
  });
}

/** The registry has none of it, and it is not remembered what layers become and where they are. */
async function forget(registry: string, cache: string | undefined): Promise<void> {
  await rm(join(registry, 'docker/registry/v2/repositories'), { recursive: true, force: true });
  if (!cache) return;
  for (const memory of ['layers', 'places']) await rm(join(cache, 'images', memory), { recursive: true, force: true });
}
