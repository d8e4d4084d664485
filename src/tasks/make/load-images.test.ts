// `load` with stand-ins for docker, podman and k3s, which are their programs' answers as files. Real containerds: test/e2e/load.test.ts.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildImage, buildIndex, layerOf } from '../../../test/fixtures/image.ts';
import { startUpstream } from '../../../test/peers/upstream.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import { readTar } from '../../tar/reader.ts';
import type { Settings } from '../settings.ts';
import { type MadeArchives, madeArchives } from '../testing/made-archives.ts';
import { type LoadRequest, loadImages } from './load-images.ts';

const of = (architecture: string) =>
  buildImage({ architecture, layers: [layerOf([{ name: 'a', data: architecture }])] });
const amd = of('amd64');
const arm = of('arm64');
const index = buildIndex([amd, arm]);
const ONE = 'quay.io/a:1';

/**
 * A program whose containers are directories of its name: what is in `NODE/images` is listed, `NODE/machine` is its processor, and what is imported is in
 * `NODE/got`, with the command in `NODE/asked`.
 */
const CONTAINERS = (directory: string) => `cd ${directory} || exit 1
case "$1" in
ps) case "$*" in *load-balancer*) cat balancers 2>/dev/null ;; *"=$(cat cluster) "*) cat names ;; esac; exit ;;
esac
node=$4; shift 4
case "$*" in
*' import '*) echo "$*" >$node/asked; [ ! -e $node/full ] || { echo 'ctr: no space' >&2; exit 1; }; cat >$node/got ;;
'uname -m') cat $node/machine ;;
*' ls') [ -e $node/images ] || { echo "no such container" >&2; exit 1; }; cat $node/images ;;
*) [ ! -e $node/config ] || cat $node/config ;;
esac`;

interface Cluster {
  readonly settings: Settings;
  load(
    items: readonly string[],
    more?: Partial<Settings>,
    cluster?: LoadRequest['cluster'],
  ): ReturnType<typeof loadImages>;
  at(name: string): string;
  file(name: string, text: string): Promise<string>;
}

async function cluster(
  made: MadeArchives,
  nodes: Readonly<Record<string, string>>,
  program = 'docker',
): Promise<Cluster> {
  const { world } = made;
  const at = (name: string) => join(world.path, 'bin/nodes', name);
  await world.script(`bin/${program}`, CONTAINERS(join(world.path, 'bin/nodes')));
  const file = (name: string, text: string) => world.file(`bin/nodes/${name}`, text);
  await file('cluster', 'kind');
  await file('names', `${Object.keys(nodes).join('\n')}\n`);
  for (const [name, machine] of Object.entries(nodes)) {
    await file(`${name}/machine`, `${machine}\n`);
    await file(`${name}/images`, 'REF TYPE DIGEST SIZE PLATFORMS LABELS\n');
  }
  const env = { ...made.settings.env, PATH: `${join(world.path, 'bin')}:${process.env.PATH}` };
  const settings = { ...made.settings, env };
  const kind = { type: 'kind', name: 'kind' } as const;
  const layout = `oci:${join(world.path, 'layout')}`;
  return {
    settings,
    at,
    file,
    load: (items, more = {}, which = kind) =>
      loadImages(
        { items: items.map((item) => `${layout}:${item}`), imagesOf: [], cluster: which },
        { ...settings, ...more },
      ),
  };
}

async function archived(path: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for await (const { name, body } of readTar(oneChunk(await readFile(path)))) {
    files.set(name, Buffer.concat(await Array.fromAsync(body)).toString());
  }
  return files;
}

it('each node gets the image for its platform, as kind would send it, and nothing else is in the archive', async () => {
  await using made = await madeArchives({ [ONE]: index });
  const { load, at, file } = await cluster(made, { 'kind-a': 'x86_64', 'kind-b': 'aarch64' });
  await file('kind-a/config', '[plugins."io.containerd.grpc.v1.cri".containerd]\nsnapshotter = "native"\n');
  await file('kind-b/config', '[plugins."io.containerd.cri.v1.images"]\nsnapshotter = "fuse-overlayfs"\n');
  expect(await load([ONE])).toEqual([
    { node: 'kind-a', platform: 'linux/amd64', loaded: [ONE], alreadyThere: [] },
    { node: 'kind-b', platform: 'linux/arm64', loaded: [ONE], alreadyThere: [] },
  ]);
  for (const [node, image, snapshotter] of [
    ['kind-a', amd, 'native'],
    ['kind-b', arm, 'fuse-overlayfs'],
  ] as const) {
    const files = await archived(at(`${node}/got`));
    const [entry, ...more] = JSON.parse(files.get('index.json') ?? '').manifests;
    expect([entry.digest, entry.annotations['io.containerd.image.name'], more]).toEqual([
      image.manifest.digest,
      ONE,
      [],
    ]);
    // The manifest, its config and its layer.
    expect([...files.keys()].filter((name) => /[0-9a-f]{64}$/.test(name))).toHaveLength(3);
    expect(await readFile(at(`${node}/asked`), 'utf8')).toBe(
      `ctr --namespace=k8s.io images import --all-platforms --digests --snapshotter=${snapshotter} -\n`,
    );
  }
  expect(await readdir(made.at('tmp'))).toEqual(['.keep']);
  // That only one platform is in it is what is wanted.
  expect(made.world.notes).toEqual([]);
});

it('a node that has pulled an image, or was given it, is not sent it again; a tag that has moved is', async () => {
  await using made = await madeArchives({ [ONE]: index, 'quay.io/b:1': amd });
  const { load, at, file } = await cluster(made, { 'kind-a': 'x86_64', 'kind-b': 'x86_64', 'kind-c': 'x86_64' });
  const listed = (digest: string) => `REF TYPE DIGEST SIZE\n${ONE} application/x ${digest} 1 KiB linux/amd64 -\n`;
  await file('kind-a/images', listed(index.manifest.digest));
  await file('kind-b/images', listed(amd.manifest.digest));
  await file('kind-c/images', listed(arm.manifest.digest));
  const there = { platform: 'linux/amd64', loaded: [], alreadyThere: [ONE] };
  expect(await load([ONE])).toEqual([
    { node: 'kind-a', ...there },
    { node: 'kind-b', ...there },
    { node: 'kind-c', platform: 'linux/amd64', loaded: [ONE], alreadyThere: [] },
  ]);
  expect(await readdir(at('kind-a'))).not.toContain('got');
  const [first] = await load([ONE, 'quay.io/b:1']);
  expect(first).toEqual({ node: 'kind-a', platform: 'linux/amd64', loaded: ['quay.io/b:1'], alreadyThere: [ONE] });
});

it('a node that cannot be asked, or whose import fails, does not stop the others, and says why', async () => {
  await using made = await madeArchives({ [ONE]: index });
  const { load, file, at } = await cluster(made, {
    'kind-a': 'x86_64',
    'kind-b': 'x86_64',
    'kind-c': 'pdp11',
    'kind-d': 'x86_64',
  });
  await file('names', 'kind-a\nkind-b\nkind-c\nkind-d\nkind-gone\n');
  await file('kind-b/full', '');
  const results = await load([ONE]);
  expect(results.map(({ node, loaded, error }) => [node, loaded, error?.code, error?.message])).toEqual([
    ['kind-a', [ONE], undefined, undefined],
    ['kind-b', [], 'UNREACHABLE', 'kind-b: ctr failed: ctr: no space'],
    ['kind-c', [], 'UNSUPPORTED', 'kind-c: unknown processor [pdp11]'],
    ['kind-d', [ONE], undefined, undefined],
    ['kind-gone', [], 'UNREACHABLE', expect.stringContaining('kind-gone: ctr failed: ')],
  ]);
  expect((await archived(at('kind-d/got'))).size).toBeGreaterThan(3);
});

it('what is wrong with an image is an error; for one platform among several it is only these nodes’', async () => {
  await using made = await madeArchives({ [ONE]: buildIndex([amd]), latest: amd });
  const { load, file } = await cluster(made, { 'kind-a': 'x86_64', 'kind-b': 's390x' });
  const [a, b] = await load([ONE]);
  expect([a?.loaded, b?.error?.code]).toEqual([[ONE], 'PLATFORM_UNKNOWN']);
  await file('kind-b/machine', 'x86_64\n');
  await expect(load(['quay.io/none:1'])).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
  await expect(load(['latest'])).rejects.toMatchObject({ code: 'USAGE', message: /the image has no name/ });
});

it('nodes are those of the program that knows the cluster, without its load balancer', async () => {
  await using made = await madeArchives({ [ONE]: index });
  const { load, file, settings } = await cluster(made, { 'kind-a': 'x86_64', lb: '' }, 'podman');
  await made.world.script('bin/docker', 'echo no daemon >&2; exit 1');
  await made.world.script('bin/nerdctl', 'exit 0');
  await file('balancers', 'lb\nother-lb\n');
  expect((await load([ONE])).map(({ node }) => node)).toEqual(['kind-a']);
  await expect(load([ONE], {}, { type: 'kind', name: 'other' })).rejects.toMatchObject({
    code: 'NOT_RUNNING',
    message: 'no nodes of the kind cluster [other]: docker: no daemon',
  });
  const only = { env: { ...settings.env, KIND_EXPERIMENTAL_PROVIDER: 'not-there' } };
  await expect(load([ONE], only)).rejects.toMatchObject({ message: /\[kind\]: not-there: not found$/ });
  await expect(load([ONE], {}, { type: 'kind', name: 'a b' })).rejects.toMatchObject({ code: 'USAGE' });
});

it('what is in files here is streamed, and needs no room for temporary files; what is fetched is put together first', async () => {
  await using made = await madeArchives({ [ONE]: index });
  await using upstream = await startUpstream();
  upstream.addImage('a:1', amd);
  const { load, at, settings } = await cluster(made, { 'kind-a': 'x86_64', 'kind-b': 'x86_64' });
  const temporaryDirectory = made.at('tmp/none');
  expect((await load([ONE], { temporaryDirectory })).map(({ loaded }) => loaded)).toEqual([[ONE], [ONE]]);
  const request = {
    items: [`docker://${upstream.host}/a:1`],
    imagesOf: [],
    cluster: { type: 'kind', name: 'kind' },
  } as const;
  await expect(loadImages(request, { ...settings, temporaryDirectory })).rejects.toThrow();
  await loadImages(request, settings);
  const [first, second] = await Promise.all(['kind-a/got', 'kind-b/got'].map((path) => readFile(at(path))));
  expect(first?.equals(second ?? Buffer.of())).toBe(true);
  const [{ digest }] = JSON.parse(Buffer.from(amd.manifest.bytes).toString()).layers;
  expect(upstream.fetches(digest)).toBe(1);
  expect(await readdir(made.at('tmp'))).toEqual(['.keep']);
});

it('a source that breaks off is told of as it is, and what was half sent is not imported', async () => {
  await using made = await madeArchives({ [ONE]: index });
  const { load, file, at } = await cluster(made, { 'kind-a': 'x86_64' });
  const [{ digest }] = JSON.parse(Buffer.from(amd.manifest.bytes).toString()).layers;
  await writeFile(join(made.world.path, 'layout/blobs', digest.replace(':', '/')), 'spoiled');
  await file('kind-a/got', 'before');
  await expect(load([ONE])).rejects.toMatchObject({ code: expect.stringMatching(/^(SIZE|DIGEST)_INVALID$/) });
  expect(await readFile(at('kind-a/asked'), 'utf8')).toContain('import');
});

it('the signal ends an import', async () => {
  await using made = await madeArchives({ [ONE]: index });
  const { load, at } = await cluster(made, { 'kind-a': 'x86_64' });
  const script = await readFile(join(made.world.path, 'bin/docker'), 'utf8');
  await made.world.script('bin/docker', script.replace(`cat >$node/got`, `echo >$node/begun; exec sleep 60`));
  const stop = new AbortController();
  const loading = load([ONE], { signal: stop.signal });
  while (!(await readdir(at('kind-a'))).includes('begun')) await new Promise((done) => setTimeout(done, 10));
  stop.abort(new Error('enough'));
  await expect(loading).rejects.toThrow('enough');
  expect(await readdir(made.at('tmp'))).toEqual(['.keep']);
});

it('a k3s that runs gets images through its own ctr', async () => {
  await using made = await madeArchives({ [ONE]: index });
  const { settings } = made;
  await made.world.script(
    'bin/k3s',
    `case "$*" in *import*) echo "$*" >${made.at('asked')}; cat >${made.at('got')} ;; esac`,
  );
  const env = { ...settings.env, PATH: `${made.at('bin')}:${process.env.PATH}` };
  const request = { items: [`oci:${made.at('layout')}:${ONE}`], imagesOf: [], cluster: { type: 'k3s' } } as const;
  const { architecture } = machinePlatform();
  expect(await loadImages(request, { ...settings, env, uid: 0 })).toEqual([
    { node: 'k3s', platform: `linux/${architecture}`, loaded: [ONE], alreadyThere: [] },
  ]);
  expect(await readFile(made.at('asked'), 'utf8')).toBe(
    'ctr --namespace=k8s.io images import --all-platforms --digests -\n',
  );
  await expect(loadImages(request, { ...settings, env, uid: 1000 })).rejects.toMatchObject({ code: 'NO_ACCESS' });
});

it('a k3s that does not run finds an archive for each image in its directory, which a newer one replaces', async () => {
  const long = `quay.io/${'long/'.repeat(40)}a:1`;
  await using made = await madeArchives({ [ONE]: index, [long]: amd });
  const load = (items: readonly string[], directory: string) =>
    loadImages(
      {
        items: items.map((item) => `oci:${made.at('layout')}:${item}`),
        imagesOf: [],
        cluster: { type: 'k3s', directory },
      },
      made.settings,
    );
  await expect(load([ONE], made.at('none'))).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  await made.world.file('k3s/server/token', '');
  const images = made.at('k3s/agent/images');
  const [result, ...more] = await load([ONE, long], made.at('k3s'));
  expect([result?.node, result?.loaded, more]).toEqual([images, [ONE, long], []]);
  await load([ONE], made.at('k3s'));
  const [first = '', second = '', ...others] = (await readdir(images)).toSorted();
  expect([first, others]).toEqual(['quay.io+a:1.tar.zst', []]);
  expect(second).toMatch(/^quay\.io\+long\+.{1,200}-[0-9a-f]{16}\.tar\.zst$/);
  expect((await readFile(join(images, first))).readUInt32LE(0)).toBe(0xfd2fb528);
});
