// The same Dockerfiles, built by us and by Docker's own builder or buildah, give equal file trees, and equal configurations except for times and ids.

import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { machinePlatform } from '../../src/oci/machine-platform.ts';
import { applyLayers } from '../../src/rootfs/apply-layers.ts';
import { diffTrees, type TreeWithLayers } from '../../src/rootfs/diff-trees.ts';
import { indexLayers } from '../../src/rootfs/layer-index.ts';
import { makeImage } from '../../src/tasks/mkimage/make-image.ts';
import { sendBuiltImage } from '../../src/tasks/mkimage/send-built-image.ts';
import type { Settings } from '../../src/tasks/settings.ts';
import { openSource } from '../../src/tasks/transfer/open-source.ts';
import { readImage } from '../../src/transports/readable-image.ts';
import { baseArchive, makeContext } from '../build-corpus/context.ts';
import { type Case, CORPUS } from '../build-corpus/corpus.ts';
import { type DockerPeer, startDockerd } from '../peers/dockerd.ts';
import { findProgram, needs } from '../peers/find.ts';
import { must } from '../peers/process.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../peers/temporary.ts';

const { missing, why } = needs('root', 'dockerd', 'docker', 'buildah', 'busybox');

interface World {
  readonly directory: TemporaryDirectory;
  readonly docker: DockerPeer;
  readonly settings: Settings;
}

describe.skipIf(missing)(`the corpus${why}`, () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(async () => {
    await world?.docker[Symbol.asyncDispose]();
    await world?.directory[Symbol.asyncDispose]();
  });

  it('is large enough', () => {
    expect(CORPUS.length).toBeGreaterThanOrEqual(80);
    expect(new Set(CORPUS.map(({ name }) => name)).size).toBe(CORPUS.length);
  });

  it.each(CORPUS.map((each) => [each.name, each] as const))('%s', async (_, each) => {
    const file = join(world.directory.path, `${each.name}.dockerfile`);
    await writeFile(file, each.text);
    const both = [
      buildOurs(world, each, file),
      each.by === 'buildah' ? buildWithBuildah(world, each, file) : buildWithDocker(world, each, file),
    ] as const;
    await Promise.allSettled(both);
    await using ours = await both[0];
    await using theirs = await both[1];
    const differences = await diffTrees(theirs, ours);
    expect(differences.map(described(each)).filter((text) => text !== undefined)).toEqual([]);
    expect(comparable(ours.config, each)).toEqual(comparable(theirs.config, each));
  });
});

/** Disposing closes the image's source. */
type Built = AsyncDisposable & TreeWithLayers & { readonly config: Record<string, unknown> };

async function createWorld(): Promise<World> {
  const directory = await temporaryDirectory('corpus');
  const docker = await startDockerd();
  const at = (name: string) => join(directory.path, name);
  await must('mkdir', ['-p', at('context'), at('base'), at('script')]);
  await makeContext(at('context'));
  await writeFile(at('base.tar'), await baseArchive(await readFile(findProgram('busybox') ?? '')));
  await writeFile(at('base/tar'), `#! /bin/sh\nexec cat ${at('base.tar')}\n`, { mode: 0o755 });
  await writeFile(at('base/Dockerfile'), 'FROM scratch\nADD ovl.tar /\nENV BASE=yes\nCMD ["/bin/sh"]\n');
  await writeFile(at('script/tar'), `#! /bin/sh\nexec cat ${at('context/ovl.tar')}\n`, { mode: 0o755 });
  const settings: Settings = {
    env: { PATH: process.env.PATH, HOME: directory.path, IMAGES_DATA: at('data'), DOCKER_HOST: docker.host },
    home: directory.path,
    uid: 0,
    temporaryDirectory: tmpdir(),
    data: at('data'),
    cache: { directory: at('cache'), program: 'test' },
  };
  const { name } = await makeImage(at('base'), settings, { tag: 'base:1' });
  await sendBuiltImage(name, { kind: 'docker' }, settings);
  await sendBuiltImage(name, { kind: 'location', text: `docker-archive:${at('base.docker')}:base:1` }, settings);
  await must('buildah', [
    '--root',
    at('buildah'),
    '--runroot',
    at('buildah-run'),
    '--storage-driver',
    'vfs',
    'pull',
    `docker-archive:${at('base.docker')}`,
  ]);
  return { directory, docker, settings };
}

async function buildOurs(
  { directory, settings }: World,
  { name, args = {}, target }: Case,
  file: string,
): Promise<Built> {
  await makeImage(join(directory.path, 'script'), settings, {
    tag: `ours/${name}`,
    file,
    context: join(directory.path, 'context'),
    buildArgs: new Map(Object.entries(args)),
    ...(target !== undefined && { target }),
  });
  return await readBuilt(`ours/${name}`, settings);
}

async function buildWithDocker({ directory, docker, settings }: World, each: Case, file: string): Promise<Built> {
  const tag = `theirs/${each.name}:1`;
  await docker.docker([
    'build',
    '--network=none',
    `--tag=${tag}`,
    `--file=${file}`,
    ...optionsOf(each),
    join(directory.path, 'context'),
  ]);
  return await readBuilt(`docker-daemon:${tag}`, settings);
}

async function buildWithBuildah({ directory, settings }: World, each: Case, file: string): Promise<Built> {
  const at = (name: string) => join(directory.path, name);
  const common = ['--root', at('buildah'), '--runroot', at('buildah-run'), '--storage-driver', 'vfs'];
  await must('buildah', [
    ...common,
    'bud',
    '--isolation=chroot',
    `--tag=theirs-${each.name}`,
    `--file=${file}`,
    ...optionsOf(each),
    at('context'),
  ]);
  await must('buildah', [...common, 'push', `theirs-${each.name}`, `oci:${at('layout')}:${each.name}`]);
  return await readBuilt(`oci:${at('layout')}:${each.name}`, settings);
}

function optionsOf({ args = {}, target }: Case): readonly string[] {
  const all = Object.entries(args).map(([name, value]) => `--build-arg=${name}=${value}`);
  return target === undefined ? all : [...all, `--target=${target}`];
}

async function readBuilt(location: string, settings: Settings): Promise<Built> {
  const opened = await openSource(location, settings);
  const { layers, configBytes } = await readImage(opened.source, { machine: machinePlatform() });
  const tree = applyLayers(await indexLayers(layers));
  const config = JSON.parse(Buffer.from(configBytes).toString()) as Record<string, unknown>;
  return { tree, layers, config, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

function described({ but }: Case) {
  return ({ path, change, aspects }: Awaited<ReturnType<typeof diffTrees>>[number]): string | undefined => {
    const left = aspects.filter((aspect) => aspect !== 'time' && !(aspect === 'owner' && but?.owners));
    if (but?.paths?.includes(path) || (change === 'changed' && left.length === 0)) return undefined;
    return `${change} /${path} ${left.join()}`;
  };
}

const FIELDS = [
  'Env',
  'Cmd',
  'Entrypoint',
  'WorkingDir',
  'Labels',
  'ExposedPorts',
  'Volumes',
  'User',
  'StopSignal',
  'Shell',
  'Healthcheck',
  'OnBuild',
];

/** Absent, null and empty values count as equal. The working directory of scratch is the root. */
function comparable(
  { config, author, os, architecture }: Record<string, unknown>,
  { but }: Case,
): Record<string, unknown> {
  const inner = (config ?? {}) as Record<string, unknown>;
  const said = FIELDS.filter((name) => !but?.config?.includes(name)).flatMap((name) => {
    const value = inner[name];
    if (name === 'Labels' && value) delete (value as Record<string, string>)['io.buildah.version'];
    const isEmpty =
      value === null ||
      value === undefined ||
      value === '' ||
      (typeof value === 'object' && Object.keys(value).length === 0);
    return isEmpty || (name === 'WorkingDir' && value === '/') ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(said), author: author || undefined, os, architecture };
}
