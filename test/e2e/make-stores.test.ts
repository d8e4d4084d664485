// Stores that `images make` writes for VMs: real podman and skopeo accept them. The tests need root to unpack the archive like a VM; the program does not.
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, buildIndex, busyboxLayer, type FixtureImage, layerOf, pushImage } from '../fixtures/image.ts';
import { debianLayer, ODD_CHANGES, ODD_TREE, treeLayer } from '../fixtures/odd-layers.ts';
import { needs } from '../peers/find.ts';
import { podmanStore, unpackStore } from '../peers/podman.ts';
import { must } from '../peers/process.ts';
import { newWorld, type World } from '../peers/program.ts';
import { temporaryDirectory } from '../peers/temporary.ts';

const squashfs = needs('tar2sqfs', 'sqfs2tar', 'mount');
const debian = needs('root', 'debootstrap');
const real = needs('root', 'podman', 'skopeo', 'runc', 'setfattr', 'busybox', 'tar');

/** Compares the made store with one into which skopeo has copied the image. */
describe.skipIf(real.missing)(`stores of the overlay driver${real.why}`, () => {
  let world: World;
  let images: Readonly<Record<string, FixtureImage>>;
  let tar: string;
  let registry: string;

  beforeAll(async () => {
    world = await newWorld();
    images = await allImages();
    const running = await world.startRegistry();
    registry = running.host;
    for (const [name, image] of Object.entries(images)) await pushImage(running.base, `library/${name}:1`, image);
    tar = join(world.path, 'images.tar');
    await world.must(['make', `--tar=${tar}`, ...Object.keys(images).map((name) => `${name}:1`)]);
  }, 500_000);
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  it('hold the same trees as those that skopeo makes', async () => {
    await using directory = await temporaryDirectory('stores');
    await using made = await podmanStore(join(directory.path, 'made'), {
      root: await unpackStore(tar, join(directory.path, 'unpacked')),
    });
    await using skopeos = await podmanStore(join(directory.path, 'skopeo'));
    for (const name of Object.keys(images)) {
      const full = `docker.io/library/${name}:1`;
      await must('skopeo', [
        'copy',
        '-q',
        '--src-tls-verify=false',
        `docker://${registry}/library/${name}:1`,
        `containers-storage:${skopeos.spec}${full}`,
      ]);
      expect(await made.files(full), name).toEqual(await skopeos.files(full));
    }
    const listed = async (store: typeof made) => {
      const all = JSON.parse(await store.podman('images', '--format=json')) as { Id: string; Names: string[] }[];
      return new Map(all.map(({ Id, Names }) => [Id, Names.toSorted()] as const).sort());
    };
    expect(await listed(made)).toEqual(await listed(skopeos));
  }, 240_000);

  it('give the images back with the same configs and layers, run them, and let go of one alone', async () => {
    await using directory = await temporaryDirectory('stores');
    await using made = await podmanStore(join(directory.path, 'made'), {
      root: await unpackStore(tar, join(directory.path, 'unpacked')),
    });
    for (const [name, image] of Object.entries(images)) {
      const copy = join(directory.path, name);
      await must('skopeo', ['copy', '-q', `containers-storage:${made.spec}docker.io/library/${name}:1`, `dir:${copy}`]);
      const manifest = JSON.parse(await readFile(join(copy, 'manifest.json'), 'utf8'));
      const own = image.children[0] ?? image;
      expect(manifest.config.digest, name).toBe(own.blobs[0]?.digest);
    }
    expect(await made.run('docker.io/library/hello:1')).toBe('OK hello\n');
    expect(await made.run('docker.io/library/index:1')).toBe('OK index\n');
    expect(await made.run('docker.io/library/deep120:1', 'cat', '/layer-119')).toBe('119\n');
    expect(await made.run('docker.io/library/odd:1', 'busybox', 'cat', '/home/user')).toBe('now-a-file\n');
    await made.podman('rmi', 'docker.io/library/hello:1');
    expect(await made.run('docker.io/library/index:1')).toBe('OK index\n');
    const before = await readdir(join(made.root, 'overlay'));
    await must('skopeo', [
      'copy',
      '-q',
      '--src-tls-verify=false',
      `docker://${registry}/library/hello:1`,
      `containers-storage:${made.spec}docker.io/library/hello:1`,
    ]);
    expect(await readdir(join(made.root, 'overlay'))).toHaveLength(before.length + 1);
  }, 240_000);

  it('are read-only stores of others', async () => {
    await using directory = await temporaryDirectory('stores');
    const additional = await unpackStore(tar, join(directory.path, 'unpacked'));
    await using own = await podmanStore(join(directory.path, 'own'), { additional });
    expect(await own.run('docker.io/library/hello:1')).toBe('OK hello\n');
  });

  it.skipIf(squashfs.missing)(
    `are read-only stores of others from a squashfs, with every attribute${squashfs.why}`,
    async () => {
      await using directory = await temporaryDirectory('stores');
      const file = join(directory.path, 'images.squashfs');
      await world.must([
        'make',
        '--format=squashfs',
        `--tar=${file}`,
        ...Object.keys(images).map((name) => `${name}:1`),
      ]);
      const again = join(directory.path, 'again.squashfs');
      await world.must([
        'make',
        '--format=squashfs',
        `--tar=${again}`,
        ...Object.keys(images).map((name) => `${name}:1`),
      ]);
      expect((await readFile(file)).equals(await readFile(again))).toBe(true);
      expect(await world.must(['make', `--list=${file}`])).toBe(await world.must(['make', `--list=${tar}`]));
      const checked = await world.images(['make', '--check', file]);
      expect(checked.status, checked.stdout).toBe(0);
      const mounted = join(directory.path, 'mounted');
      await mkdir(mounted);
      await must('mount', ['-t', 'squashfs', '-o', 'ro,loop', file, mounted]);
      try {
        await using own = await podmanStore(join(directory.path, 'own'), { additional: mounted });
        expect(await own.run('docker.io/library/hello:1')).toBe('OK hello\n');
        expect(await own.run('docker.io/library/odd:1', 'busybox', 'cat', '/opt/d/new')).toBe('new\n');
        expect((await own.run('docker.io/library/odd:1', 'busybox', 'ls', '/opt/d')).trim()).toBe('new');
      } finally {
        await must('umount', [mounted]);
      }
    },
    240_000,
  );

  it('pass the check of stores, and so does one that skopeo made', async () => {
    await using directory = await temporaryDirectory('stores');
    const made = await world.images(['make', '--check', tar]);
    expect(made.status, made.stdout).toBe(0);
    const tree = join(directory.path, 'tree');
    const graphRoot = join(tree, 'var/lib/containers/storage');
    await using skopeos = await podmanStore(join(directory.path, 'skopeo'), { root: graphRoot });
    for (const name of ['hello', 'odd', 'deep60']) {
      await must('skopeo', [
        'copy',
        '-q',
        '--src-tls-verify=false',
        `docker://${registry}/library/${name}:1`,
        `containers-storage:${skopeos.spec}docker.io/library/${name}:1`,
      ]);
    }
    await skopeos[Symbol.asyncDispose]();
    const packed = join(directory.path, 'skopeo.tar');
    await must('tar', ['-C', tree, '--numeric-owner', '--xattrs', '--xattrs-include=*', '-cf', packed, 'var']);
    const checked = await world.images(['make', '--check', packed]);
    expect(checked.status, checked.stdout).toBe(0);
  }, 240_000);

  it('are updated without doing again what is there, to the same bytes as from scratch', async () => {
    const [updated, fresh] = [join(world.path, 'updated.tar'), join(world.path, 'fresh.tar')];
    await world.must(['make', `--tar=${updated}`, 'hello:1', 'odd:1', 'deep60:1']);
    const result = JSON.parse(
      await world.must(['make', '--update', '--json', `--tar=${updated}`, 'odd:1', 'deep120:1']),
    );
    expect(result).toMatchObject({ layers: 122, taken: 62 });
    await world.must(['make', `--tar=${fresh}`, 'odd:1', 'deep120:1']);
    expect((await readFile(updated)).equals(await readFile(fresh))).toBe(true);
    expect(await world.must(['make', '--list', updated])).toBe(
      'docker.io/library/deep120:1\ndocker.io/library/odd:1\n',
    );
    const other = JSON.parse(
      await world.must(['make', '--update', '--json', '--userxattr', `--tar=${updated}`, 'odd:1']),
    );
    expect(other).toMatchObject({ layers: 2, taken: 1 });
  });

  it('are the same bytes whatever the order, into a pipe, and for an unprivileged user', async () => {
    const names = Object.keys(images).map((name) => `${name}:1`);
    const expected = await readFile(tar);
    const other = join(world.path, 'other.tar');
    await world.must(['make', `--tar=${other}`, ...names.toReversed()]);
    expect(expected.equals(await readFile(other))).toBe(true);
    const piped = join(world.path, 'piped.tar');
    await must('sh', ['-c', `"$0" make --tar=- "$@" | cat >${piped}`, program(), ...names], { env: world.env });
    expect(expected.equals(await readFile(piped))).toBe(true);
    const third = join(world.path, 'third.tar');
    await must('chown', ['-R', '65534:65534', world.path]);
    try {
      const unprivileged = ['--reuid=65534', '--regid=65534', '--clear-groups'];
      await must('setpriv', [...unprivileged, program(), 'make', `--tar=${third}`, ...names], { env: world.env });
      expect(expected.equals(await readFile(third))).toBe(true);
      expect((await stat(third)).uid).toBe(65534);
    } finally {
      // Nobody stops a registry whose data are another user's.
      await must('chown', ['-R', '0:0', world.path]);
    }
  });
});

function program(): string {
  return join(import.meta.dirname, '../../bin/images');
}

async function allImages(): Promise<Readonly<Record<string, FixtureImage>>> {
  const base = busyboxLayer();
  const says = (text: string) => ['/bin/echo', text];
  const numbered = (count: number) =>
    Array.from({ length: count - 1 }, (_, at) => layerOf([{ name: `layer-${at + 1}`, data: `${at + 1}\n` }]));
  const [odd, zstd, plain, changes] = await Promise.all([
    treeLayer(ODD_TREE),
    treeLayer(ODD_TREE, 'zstd'),
    treeLayer(ODD_TREE, 'none'),
    treeLayer(ODD_CHANGES),
  ]);
  const hello = buildImage({
    layers: [base, layerOf([{ name: 'hello', data: 'x' }])],
    cmd: says('OK hello'),
    kind: 'docker',
  });
  const other = buildImage({ layers: [base], architecture: 'arm64' });
  return {
    hello,
    index: buildIndex([buildImage({ layers: [base], cmd: says('OK index') }), other]),
    odd: buildImage({ layers: [odd, changes] }),
    zstd: buildImage({ layers: [zstd, changes], ownTypes: true }),
    plain: buildImage({ layers: [plain], ownTypes: true }),
    docker: buildImage({
      layers: [odd, changes, layerOf([{ name: 'opt/' }, { name: 'opt/more', data: 'm' }])],
      kind: 'docker',
    }),
    ...(debian.missing
      ? {}
      : {
          debian: buildImage({
            layers: [await debianLayer(), layerOf([{ name: 'etc/', mode: 0o755 }, { name: 'etc/.wh.passwd' }])],
            cmd: ['/bin/echo', 'OK debian'],
          }),
        }),
    deep60: buildImage({ layers: [base, ...numbered(60)] }),
    deep120: buildImage({ layers: [base, ...numbered(120)] }),
  };
}
