// `images make`: what it takes, writes, refuses and leaves behind. That real programs accept the stores is tested in make-stores.test.ts.
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { buildImage, buildIndex, layerOf, pushImage, randomLayer } from '../fixtures/image.ts';
import { treeLayer } from '../fixtures/odd-layers.ts';
import { writeOverlay } from '../fixtures/overlay.ts';
import { startDockerRegistry } from '../peers/docker-registry.ts';
import { needs } from '../peers/find.ts';
import { must, run, until } from '../peers/process.ts';
import { newWorld } from '../peers/program.ts';

const MAKERS = ['tar2sqfs', 'sqfstar'];
const makers = needs(...MAKERS, 'sqfs2tar', 'unsquashfs');

it('make keeps the digest as name of an image that is named so, an image with several names once, and an index beside its image', async () => {
  await using world = await newWorld();
  const image = buildImage({ layers: [layerOf([{ name: 'f', data: 'x' }])] });
  const index = buildIndex([image, buildImage({ layers: [layerOf([])], architecture: 'arm64' })]);
  const registry = await world.startRegistry();
  await pushImage(registry.base, 'library/x:1', index);
  await pushImage(registry.base, 'library/x:2', image);
  const tar = join(world.path, 'images.tar');
  await world.must(['make', `--tar=${tar}`, 'x:1', 'x:2', `x:9@${index.manifest.digest}`]);
  const listed = await must('tar', ['-xOf', tar, 'var/lib/containers/storage/overlay-images/images.json']);
  const [one, ...others] = JSON.parse(listed);
  expect(others).toEqual([]);
  expect(one.names).toEqual([
    'docker.io/library/x:1',
    'docker.io/library/x:2',
    `docker.io/library/x@${index.manifest.digest}`,
  ]);
  expect(one.digest).toBe(image.manifest.digest);
  expect(one['big-data-names']).toContain(`manifest-${index.manifest.digest}`);
});

it('make fetches images that are nowhere else from their own registries, and adds what overlays use with the pause image', async () => {
  const registryNeeds = needs('docker-registry');
  if (registryNeeds.missing) return;
  await using upstream = await startDockerRegistry();
  await using world = await newWorld();
  const image = (text: string) => buildImage({ layers: [layerOf([{ name: text, data: text }])] });
  await pushImage(upstream.base, 'tools/a:1', image('a'));
  await pushImage(upstream.base, 'pause:3.9', image('pause'));
  await world.mirror({ 'quay.io': upstream.host, 'registry.k8s.io': upstream.host });
  const overlay = await writeOverlay(join(world.path, 'overlay'), ['quay.io/tools/a:1']);
  const tar = join(world.path, 'tmp/images.tar');
  await must('mkdir', [join(world.path, 'tmp')]);
  const made = await world.images(['make', `--images-of=${overlay}`], {
    env: { XCLUSTER_TMP: join(world.path, 'tmp'), IMAGES_PAUSE: 'registry.k8s.io/pause:3.9' },
  });
  expect(made, made.stderr).toMatchObject({ status: 0, stdout: '' });
  const listed = await must('tar', ['-xOf', tar, 'var/lib/containers/storage/overlay-images/images.json']);
  expect(
    JSON.parse(listed)
      .flatMap(({ names }: { names: string[] }) => names)
      .sort(),
  ).toEqual(['quay.io/tools/a:1', 'registry.k8s.io/pause:3.9']);
});

it('make leaves nothing under the final name if it fails', async () => {
  await using world = await newWorld();
  const registry = await world.startRegistry();
  const good = layerOf([{ name: 'f', data: 'x' }]);
  const wrong = buildImage({ layers: [{ ...layerOf([{ name: 'g', data: 'y' }]), diffId: good.diffId }] });
  const climbs = buildImage({ layers: [layerOf([{ name: '../../etc/cron.d/x', data: 'y' }])] });
  await pushImage(registry.base, 'library/wrong:1', wrong);
  await pushImage(registry.base, 'library/climbs:1', climbs);
  for (const [name, message] of [
    ['wrong:1', /^ERROR: .*diffID/],
    ['climbs:1', /^ERROR: a name in a layer climbs out of the root \[..\/..\/etc\/cron.d\/x\]/],
  ] as const) {
    const result = await world.images(['make', `--tar=${join(world.path, 'out.tar')}`, name]);
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(new RegExp(message.source, 'm'));
    expect((await readdir(world.path)).filter((file) => file.includes('out.tar'))).toEqual([]);
  }
});

it('make reports a full device, a file-system program that ends early, and, before any work, a path that is a directory', async () => {
  await using world = await newWorld();
  const registry = await world.startRegistry();
  await pushImage(registry.base, 'library/big:1', buildImage({ layers: [randomLayer('big', 20_000_000)] }));
  const full = await world.images(['make', '--tar=/dev/full', 'big:1']);
  expect(full.stderr).toMatch(/^ERROR: no space left \[\/dev\/full\]$/m);
  const directory = await world.images(['make', `--tar=${world.path}`, 'big:1']);
  expect(directory.stderr).toMatch(/^ERROR: a directory, not a file \[/m);
  expect([full.status, directory.status]).toEqual([1, 1]);

  await mkdir(join(world.path, 'bin'));
  const program = '#!/bin/sh\ntest "$1" = --help && echo zstd || { echo no room >&2; exit 1; }\n';
  await writeFile(join(world.path, 'bin/tar2sqfs'), program, { mode: 0o755 });
  const file = join(world.path, 'out.squashfs');
  const early = await world.images(['make', '--format=squashfs', `--tar=${file}`, 'big:1'], {
    env: { PATH: `${join(world.path, 'bin')}:${process.env.PATH}` },
  });
  expect(early.stderr).toMatch(/^ERROR: tar2sqfs failed: no room$/m);
  expect(early.status).toBe(1);
  expect((await readdir(world.path)).filter((name) => name.includes('out.'))).toEqual([]);
});

it.skipIf(makers.missing)(
  `makes the same squashfs at every time with either program alone, which the programs of both read${makers.why}`,
  async () => {
    await using world = await newWorld();
    const registry = await world.startRegistry();
    const layers = [
      layerOf([{ name: 'etc/' }, { name: 'etc/hello', data: 'hello', mode: 0o640 }]),
      randomLayer('r', 300_000),
    ];
    await pushImage(registry.base, 'library/x:1', buildImage({ layers }));
    for (const program of MAKERS) {
      const bin = await pathWithout(
        join(world.path, `without-${program}`),
        MAKERS.filter((other) => other !== program),
      );
      const make = async (name: string, env: Record<string, string> = {}) => {
        const file = join(world.path, `${program}-${name}.squashfs`);
        await world.must(['make', '--format=squashfs', `--tar=${file}`, 'x:1'], { env: { PATH: bin, ...env } });
        return file;
      };
      const first = await make('first');
      await setTimeout(1100);
      for (const again of [await make('second'), await make('third', { SOURCE_DATE_EPOCH: '1234567890' })])
        expect((await readFile(again)).equals(await readFile(first)), program).toBe(true);
      expect(await world.must(['make', `--list=${first}`]), program).toBe('docker.io/library/x:1\n');
      const checked = await world.images(['make', '--check', first]);
      expect(checked.status, checked.stdout).toBe(0);
      const alone = { env: { PATH: await pathWithout(join(world.path, `alone-${program}`), ['sqfs2tar']) } };
      expect(await world.must(['make', `--list=${first}`], alone), program).toBe('docker.io/library/x:1\n');
      const byRoot = await world.images(['make', '--check', first], alone);
      if (process.getuid?.() === 0) expect(byRoot.status, byRoot.stdout + byRoot.stderr).toBe(0);
      else expect(byRoot.stderr).toContain('no program here reads squashfs');
      const tree = join(world.path, `tree-${program}`);
      await must('unsquashfs', ['-no-xattrs', '-no-progress', '-d', tree, first]);
      await must('sqfs2tar', ['--no-xattr', first]);
      const [layer] = JSON.parse(await readFile(join(tree, 'overlay-layers/layers.json'), 'utf8'));
      expect(await readFile(join(tree, 'overlay', layer.id, 'diff/etc/hello'), 'utf8'), program).toBe('hello');
      expect((await stat(tree)).mode & 0o7777).toBe(0o700);
    }
  },
  120_000,
);

it('make finds by a name without a host what the private registry has under it, whatever host it came from', async () => {
  await using world = await newWorld();
  const directory = join(world.path, 'mk');
  await mkdir(directory);
  await writeFile(join(directory, 'Dockerfile'), 'FROM scratch\nADD ovl.tar /\n');
  await writeFile(join(directory, 'tar'), '#!/bin/sh\ntar -C "$(dirname "$0")" -cf "$1" Dockerfile\n', { mode: 0o755 });
  await world.must(['mkimage', '--tag=registry.x.org/test/mk:1', '--upload', directory]);
  const plan = await world.must(['make', '--dry-run', 'test/mk:1']);
  expect(plan.split('\n')[0]).toBe('docker.io/test/mk:1');
});

it('make builds the directory `image` of an overlay, and any other that is named, wherever overlays are found', async () => {
  await using world = await newWorld();
  for (const name of ['image', 'other']) {
    const directory = join(world.path, 'overlays/mine', name);
    await mkdir(directory, { recursive: true });
    const manifest = { name: `test/${name}`, labels: [{ name: 'version', value: '1' }], app: { exec: ['/x'] } };
    await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest));
    const script = '#!/bin/sh\ntar -C "$(dirname "$0")" -cf "$1" manifest.json\n';
    await writeFile(join(directory, 'tar'), script, { mode: 0o755 });
  }
  const overlays = join(world.path, 'overlays');
  const expected = ['docker.io/test/image:1', 'docker.io/test/other:1'];
  for (const items of [
    ['mine', 'mine/other'],
    [`${overlays}/mine`, `${overlays}/mine/other`],
  ]) {
    const plan = await world.must(['make', '--dry-run', ...items], { env: { XCLUSTER_OVLPATH: overlays } });
    expect(plan.split('\n').slice(0, 2)).toEqual(expected);
  }
});

it('make asks for each manifest and config once, and prints the digest that the name has in the output', async () => {
  await using world = await newWorld();
  const [random, other] = [randomLayer('x', 100_000), layerOf([])];
  const single = buildImage({ layers: [random] });
  const children = [single, buildImage({ layers: [other], architecture: 'arm64' })];
  const index = buildIndex(children);
  const zstd = buildImage({ layers: [await treeLayer('echo zstd >f', 'zstd')], ownTypes: true });
  const asked: string[] = [];
  const upstream = createServer((request, response) => {
    const { method = '', url = '' } = request;
    const name = url.split('/').at(-1);
    if (method === 'GET') asked.push(name ?? '');
    const manifests = { index, single, zstd };
    const raw =
      [index, single, zstd, ...children].find(({ manifest }) => manifest.digest === name) ??
      manifests[/\/library\/(index|single|zstd)\/manifests\/1$/.exec(url)?.[1] as keyof typeof manifests];
    const blob = [single, zstd, ...children].flatMap(({ blobs }) => blobs).find(({ digest }) => digest === name);
    if (!raw && !blob) {
      response.writeHead(url === '/v2/' ? 200 : 404).end();
      return;
    }
    const bytes = raw?.manifest.bytes ?? blob?.bytes ?? new Uint8Array();
    const type = raw?.manifest.mediaType ?? 'application/octet-stream';
    response.writeHead(200, {
      'content-type': type,
      'content-length': bytes.length,
      ...(raw && { 'docker-content-digest': raw.manifest.digest }),
    });
    response.end(method === 'GET' ? bytes : undefined);
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  try {
    const host = `127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    for (const format of ['tar', 'oci-archive', 'docker-archive']) {
      asked.length = 0;
      const file = join(world.path, `${format}.tar`);
      const items = ['index', 'single', 'zstd'].map((name) => `${host}/library/${name}:1`);
      const result = await world.images(['make', '--json', `--format=${format}`, `--tar=${file}`, ...items]);
      expect(result.status, result.stderr).toBe(0);
      const small = asked.filter((name) => name !== '' && !/^v2$/.test(name));
      expect(small.length, `${format}: ${small}`).toBe(new Set(small.filter((name) => name !== '1')).size + 3);
      const made: readonly { names: string[]; digest: string }[] = JSON.parse(result.stdout).images;
      const inFile = await digestsIn(file, format);
      for (const { names, digest } of made)
        for (const name of names) expect(inFile.get(name), `${format} ${name}`).toBe(digest);
      expect(made.flatMap(({ names }) => names).toSorted()).toEqual(items);
    }
  } finally {
    upstream.close();
  }
});

it('make lists and checks what it wrote in every form, also compressed', async () => {
  await using world = await newWorld();
  const registry = await world.startRegistry();
  const shared = layerOf([{ name: 'shared', data: 'shared' }]);
  const image = (name: string) => buildImage({ layers: [shared, layerOf([{ name, data: name }])] });
  await pushImage(registry.base, 'library/a:1', image('a'));
  await pushImage(
    registry.base,
    'team/b:2',
    buildIndex([image('b'), buildImage({ layers: [], architecture: 'arm64' })]),
  );
  await pushImage(registry.base, 'library/same:1', image('a'));
  const items = ['a:1', 'team/b:2', 'same:1'];
  const names = ['docker.io/library/a:1', 'docker.io/library/same:1', 'docker.io/team/b:2'];
  const lines = (text: string) => text.split('\n').filter(Boolean);
  for (const format of ['tar', 'oci-archive', 'docker-archive']) {
    const file = join(world.path, `${format}.tar`);
    await world.must(['make', `--format=${format}`, `--tar=${file}`, ...items]);
    expect(lines(await world.must(['make', '--list', file])), format).toEqual(names);
    const listed = JSON.parse(await world.must(['make', '--list', file, '--json']));
    expect(
      listed.map(({ layers }: { layers: number }) => layers),
      format,
    ).toEqual([2, 2]);
    const checked = await world.images(['make', '--check', file]);
    expect(checked, checked.stdout).toMatchObject({ status: 0, stderr: 'Everything is right.\n' });
    await must('gzip', ['-k', file]);
    expect(lines(await world.must(['make', '--list', `${file}.gz`])), format).toEqual(names);
    // Damages one byte in the last layer.
    if (format === 'tar') continue;
    const bytes = await readFile(file);
    const layer = image('b').blobs.at(-1)?.bytes ?? new Uint8Array();
    const at = bytes.indexOf(layer);
    expect(at).toBeGreaterThan(0);
    bytes[at + layer.length - 6] = (bytes[at + layer.length - 6] ?? 0) ^ 1;
    await writeFile(file, bytes);
    const damaged = await world.images(['make', '--check', file, '--json']);
    expect(damaged.status, damaged.stdout).toBe(1);
    const parts: { what: string; problems: unknown[] }[] = JSON.parse(damaged.stdout).parts;
    expect(parts.filter(({ problems }) => problems.length > 0).map(({ what }) => what)).toEqual([
      expect.stringMatching(/^docker\.io\/team\/b:2: layer 2 sha256:/),
    ]);
  }
});

it('make names the image of an overlay as its manifest.json does, even if a Dockerfile builds it', async () => {
  await using world = await newWorld();
  const overlay = async (name: string, manifest?: unknown) => {
    const directory = join(world.path, name, 'image');
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'Dockerfile'), 'FROM scratch\nADD ovl.tar /\n');
    await writeFile(join(directory, 'tar'), '#!/bin/sh\ntar -C "$(dirname "$0")" -cf "$1" Dockerfile\n', {
      mode: 0o755,
    });
    if (manifest !== undefined) await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest));
    return join(world.path, name);
  };
  const labels = [{ name: 'version', value: '1.2' }];
  const items = [
    await overlay('a', { acKind: 'ImageManifest', name: 'team/controller', labels, app: { exec: ['/bin/c'] } }),
    await overlay('b', { name: 'registry.example.org/team/hosted', labels }),
    // A web application's manifest.json, and a directory without one.
    await overlay('c', { name: 'My App', short_name: 'app', icons: [] }),
    await overlay('d'),
  ];
  const tar = join(world.path, 'images.tar');
  await world.must(['make', `--tar=${tar}`, ...items]);
  expect((await world.must(['make', '--list', tar])).split('\n').filter(Boolean)).toEqual([
    'docker.io/library/c:latest',
    'docker.io/library/d:latest',
    'docker.io/team/controller:1.2',
    'registry.example.org/team/hosted:1.2',
  ]);
  const versionless = await overlay('e', { acKind: 'ImageManifest', name: 'team/controller' });
  const refused = await world.images(['make', `--tar=${tar}`, versionless]);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain('without a label `version`');
});

it('make leaves nothing behind if it is interrupted', async () => {
  await using world = await newWorld();
  const registry = await world.startRegistry();
  await pushImage(registry.base, 'library/big:1', buildImage({ layers: [randomLayer('big', 120_000_000)] }));
  const files = async () => (await readdir(world.path)).filter((file) => file.includes('out.tar'));
  const child = world.startImages(['make', `--tar=${join(world.path, 'out.tar')}`, 'big:1']);
  const ended = once(child, 'exit');
  await until(async () => (await files()).length > 0);
  child.kill('SIGINT');
  const [status] = await ended;
  expect(status).not.toBe(0);
  expect(await files()).toEqual([]);
});

it('make writes into a named pipe, also from archives in files', async () => {
  await using world = await newWorld();
  const registry = await world.startRegistry();
  await pushImage(registry.base, 'library/x:1', buildImage({ layers: [layerOf([{ name: 'f', data: 'x' }])] }));
  const at = (name: string) => join(world.path, name);
  await world.must(['make', `--tar=${at('file.tar')}`, 'x:1']);
  await must('mkfifo', [at('pipe')]);
  const reading = must('sh', ['-c', `cat ${at('pipe')} >${at('piped.tar')}`]);
  await world.must(['make', `--tar=${at('pipe')}`, 'x:1']);
  await reading;
  expect((await readFile(at('piped.tar'))).equals(await readFile(at('file.tar')))).toBe(true);
  expect((await stat(at('pipe'))).isFIFO()).toBe(true);

  for (const format of ['docker-archive', 'oci-archive']) {
    await world.must(['make', `--format=${format}`, `--tar=${at('archive')}`, 'x:1']);
    await world.must(['make', `--tar=${at('other.tar')}`, `${format}:${at('archive')}:docker.io/library/x:1`]);
    expect((await readFile(at('other.tar'))).equals(await readFile(at('file.tar'))), format).toBe(true);
  }
});

it('a file of make is handed to xcluster with what a VM needs to use it, or not at all', async () => {
  await using world = await newWorld();
  const registry = await world.startRegistry();
  await pushImage(registry.base, 'library/x:1', buildImage({ layers: [layerOf([{ name: 'f', data: 'x' }])] }));
  const script = join(import.meta.dirname, '../../ovl/images/tar');
  const env = { ...world.env, XCLUSTER_TMP: world.path };
  const none = await run(script, ['-'], { env });
  expect(none).toMatchObject({ status: 1, stdout: '' });
  expect(none.stderr).toMatch(/^ERROR: no pre-pulled images .*\nMake them first: images make/);
  await world.must(['make', 'x:1'], { env: { XCLUSTER_TMP: world.path } });
  const file = join(world.path, 'overlay.tar');
  await must(script, [file], { env });
  await must('sh', ['-c', `"$0" - | cmp - ${file}`, script], { env });
  const names = (await must('tar', ['-tf', file])).split('\n');
  expect(names).toContain('var/lib/containers/storage/overlay-images/images.json');
  expect(names).toContain('./etc/init.d/20images.rc');
  const pinned = await must('tar', ['-xOf', file, './etc/crio/crio.conf.d/20-pinned-images.conf']);
  expect(pinned).toBe('[crio.image]\npinned_images = [\n  "docker.io/library/x:1",\n]\n');
});

it('of files of several kinds in xcluster’s directory the newest is handed over, with a note', async () => {
  await using world = await newWorld();
  const registry = await world.startRegistry();
  for (const name of ['x', 'y']) {
    const image = buildImage({ layers: [layerOf([{ name, data: name }])] });
    await pushImage(registry.base, `library/${name}:1`, image);
  }
  const at = (name: string) => join(world.path, name);
  // The content does not matter: the script only unpacks archives.
  await world.must(['make', `--tar=${at('images.tar')}`, 'x:1']);
  await world.must(['make', `--tar=${at('images.squashfs')}`, 'y:1']);
  const script = join(import.meta.dirname, '../../ovl/images/tar');
  const handed = async () => {
    const { stderr } = await run(script, [at('overlay.tar')], { env: { ...world.env, XCLUSTER_TMP: world.path } });
    const pinned = await must('tar', ['-xOf', at('overlay.tar'), './etc/crio/crio.conf.d/20-pinned-images.conf']);
    return { stderr, image: /library\/([xy])/.exec(pinned)?.[1] };
  };
  await utimes(at('images.tar'), 1000, 1000);
  expect(await handed()).toEqual({
    image: 'y',
    stderr: `NOTE: pre-pulled images are taken from ${at('images.squashfs')}, which is newer than ${at('images.tar')}\n`,
  });
  await utimes(at('images.squashfs'), 500, 500);
  expect(await handed()).toMatchObject({ image: 'x' });
});

it('make warns of an image for another platform, and takes it', async () => {
  await using world = await newWorld();
  const registry = await world.startRegistry();
  const layers = [layerOf([{ name: 'f', data: 'x' }])];
  await pushImage(registry.base, 'library/x:1', buildImage({ layers, architecture: 's390x' }));
  const make = (platform: string) => world.images(['make', '--dry-run', `--platform=${platform}`, 'x:1']);
  expect(await make('linux/arm64')).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/^WARNING: x:1 is for linux\/s390x, not for linux\/arm64$/m),
  });
  expect((await make('linux/s390x')).stderr).not.toContain('WARNING');
});

it('make names a missing directory for temporary files, and one that exists', async () => {
  await using world = await newWorld();
  const registry = await world.startRegistry();
  await pushImage(registry.base, 'library/x:1', buildImage({ layers: [randomLayer('x', 20_000_000)] }));
  const file = join(world.path, 'none/out.tar');
  const wrong = await world.images(['make', `--tar=${file}`, 'x:1']);
  expect(wrong.stderr).toContain(`ERROR: no such file or directory [${file}]\n`);
  const noTmp = { env: { TMPDIR: join(world.path, 'none') } };
  const piped = await world.images(['make', '--tar=-', 'x:1'], noTmp);
  expect(piped.stderr).toContain(`ERROR: no such file or directory [${noTmp.env.TMPDIR}]\n`);
  expect([wrong.status, piped.status]).toEqual([1, 1]);
});

const tmpfs = needs('root', 'mount');

it.skipIf(tmpfs.missing)(`make names TMPDIR if that is full${tmpfs.why}`, async () => {
  await using world = await newWorld();
  const registry = await world.startRegistry();
  await pushImage(registry.base, 'library/x:1', buildImage({ layers: [randomLayer('x', 20_000_000)] }));
  const small = join(world.path, 'small');
  await mkdir(small);
  await must('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', small]);
  try {
    for (const format of ['tar', 'oci-archive', 'docker-archive']) {
      const full = await world.images(['make', `--format=${format}`, '--tar=-', 'x:1'], { env: { TMPDIR: small } });
      expect(full.stderr, format).toContain(`ERROR: no space left for temporary files [${small}]\nSet TMPDIR to `);
      expect(full.status).toBe(1);
    }
    // With a file as its output, `make` needs no temporary space.
    await world.must(['make', `--tar=${join(world.path, 'out.tar')}`, 'x:1'], { env: { TMPDIR: small } });
    expect(await readdir(small)).toEqual([]);
  } finally {
    await must('umount', [small]);
  }
});

/** Digests by image name. */
async function digestsIn(file: string, format: string): Promise<ReadonlyMap<string, string>> {
  if (format === 'tar') {
    const images = JSON.parse(
      await must('tar', ['-xOf', file, 'var/lib/containers/storage/overlay-images/images.json']),
    );
    return new Map(
      images.flatMap(({ names, digest }: { names: string[]; digest: string }) => names.map((name) => [name, digest])),
    );
  }
  const { manifests } = JSON.parse(await must('tar', ['-xOf', file, 'index.json']));
  return new Map(
    manifests.map(({ digest, annotations }: { digest: string; annotations: Record<string, string> }) => [
      annotations['io.containerd.image.name'] ?? '',
      digest,
    ]),
  );
}

/** Fills a directory with links to all programs of $PATH except these. */
async function pathWithout(directory: string, names: readonly string[]): Promise<string> {
  await mkdir(directory);
  for (const folder of (process.env.PATH ?? '').split(':')) {
    for (const name of await readdir(folder).catch(() => []))
      if (!names.includes(name)) await symlink(join(folder, name), join(directory, name)).catch(() => undefined);
  }
  return directory;
}
