import { cp, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../../../test/peers/find.ts';
import { must } from '../../../test/peers/process.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../../test/peers/temporary.ts';
import { decodeConfig } from '../../oci/config.ts';
import { decodeManifest, type ImageManifest, type RawManifest } from '../../oci/manifest.ts';
import { DOCKER_LAYER, OCI_LAYER } from '../../oci/media-types.ts';
import { openStore } from './find-store.ts';
import { parseStorageDetails } from './storage-location.ts';
import { type StorageSource, storageSource } from './storage-source.ts';

const peers = needs('root', 'podman', 'buildah', 'skopeo', 'umoci');
const settings = { env: {}, home: '/nowhere', uid: 0, temporaryDirectory: '/tmp' };

async function opened(text: string): Promise<StorageSource> {
  const details = parseStorageDetails(text, (why) => {
    throw new Error(why);
  });
  return await storageSource(await openStore(details.store, settings), details);
}

function imageOf(raw: RawManifest): ImageManifest {
  const manifest = decodeManifest(raw);
  if (manifest.kind !== 'image') throw new Error('no image');
  return manifest;
}

async function drained(body: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const chunk of body) size += chunk.length;
  return size;
}

/** Reads everything. Streams from byte 0 verify themselves. */
async function read(source: StorageSource): Promise<{ readonly bytes: number; readonly diffIds: readonly string[] }> {
  const { config, layers } = imageOf(await source.root());
  const configBytes = Buffer.concat(await Array.fromAsync(await source.blob(config, 0)));
  let bytes = 0;
  for (const layer of layers) bytes += await drained(await source.blob(layer, 0));
  return { bytes, diffIds: decodeConfig(configBytes).diffIds };
}

describe.skipIf(peers.missing)(`a containers-storage store${peers.why}`, () => {
  let scratch: TemporaryDirectory;
  const at = (name: string) => join(scratch.path, name);
  const root = () => at('root');
  const flags = () => ['--root', root(), '--runroot', at('run'), '--storage-driver', 'overlay'];
  const storage = (image: string) => `containers-storage:[overlay@${root()}+${at('run')}]${image}`;

  beforeAll(async () => {
    scratch = await temporaryDirectory('storage');
    const context = at('context');
    await mkdir(join(context, 'tree/usr/lib'), { recursive: true });
    await must('bash', ['-ec', TREE], { cwd: join(context, 'tree') });
    await must('tar', ['-cf', join(context, 'layer.tar'), '--xattrs', '-C', join(context, 'tree'), '.']);
    await writeFile(join(context, 'late'), 'later\n');
    await writeFile(join(context, 'Dockerfile'), 'FROM scratch\nADD layer.tar /\nCOPY late /lib/late\n');
    await must('buildah', [...flags(), 'bud', '--layers', '-t', 'localhost/made:1', context]);
    // The same layers in another store, compressed as when pulled from a registry.
    const elsewhere = ['--root', at('other'), '--runroot', at('run'), '--storage-driver', 'overlay'];
    for (const [format, to] of [
      ['oci', `oci:${at('layout')}:made`],
      ['docker', `dir:${at('docker-dir')}`],
    ] as const) {
      const file = join(context, `Dockerfile.${format}`);
      await writeFile(file, `FROM scratch\nADD layer.tar /\nLABEL made=${format}\nCOPY late /lib/late\n`);
      const args = ['--layers', '--format', format, '-f', file, '-t', format, context];
      await must('buildah', [...elsewhere, 'bud', ...args]);
      const from = `containers-storage:[overlay@${at('other')}+${at('run')}]localhost/${format}`;
      await must('skopeo', ['copy', '--dest-compress', from, to]);
      await must('skopeo', ['copy', to, storage(`quay.io/pulled/${format}:2`)]);
    }
    await must('umoci', ['init', '--layout', at('empty')]);
    await must('umoci', ['new', '--image', `${at('empty')}:none`]);
    await must('skopeo', ['copy', `oci:${at('empty')}:none`, storage('localhost/empty:1')]);
  });

  afterAll(async () => {
    for (const name of ['root', 'other']) await must('umount', [at(`${name}/overlay`)]).catch(() => {});
    await scratch?.[Symbol.asyncDispose]();
  });

  /** Node's own copy function does not support names that are not UTF-8. */
  const copyStore = async (to: string) => {
    await mkdir(to, { recursive: true });
    await must('bash', [
      '-ec',
      'tar -cf - --exclude=./libpod --xattrs -C "$0" . | tar -xf - --xattrs -C "$1"',
      root(),
      to,
    ]);
  };

  it('gives an image that podman built as it is: manifest, config and layers', async () => {
    await using source = await opened(`[overlay@${root()}]localhost/made:1`);
    expect(await source.root()).toEqual(source.stored);
    const { layers } = imageOf(await source.root());
    expect(layers.map(({ mediaType }) => mediaType)).toEqual([OCI_LAYER, OCI_LAYER]);
    const { bytes, diffIds } = await read(source);
    expect(diffIds).toEqual(layers.map(({ digest }) => digest));
    expect(bytes).toBe(layers.reduce((sum, { size }) => sum + size, 0));
    expect(source.names).toEqual(['localhost/made:1']);
  });

  it.each([
    ['quay.io/pulled/oci:2', OCI_LAYER],
    ['quay.io/pulled/docker:2', DOCKER_LAYER],
  ])(
    'gives one that was pulled with uncompressed layers and its own config, as skopeo does: %s',
    async (name, type) => {
      await using source = await opened(`[${root()}]${name}`);
      const image = imageOf(await source.root());
      const stored = imageOf(source.stored);
      expect(image.config).toEqual(stored.config);
      expect(image.layers.map(({ mediaType }) => mediaType)).toEqual([type, type]);
      expect(image.layers.map(({ digest }) => digest)).not.toEqual(stored.layers.map(({ digest }) => digest));
      const { diffIds } = await read(source);
      expect(image.layers.map(({ digest }) => digest)).toEqual(diffIds);

      const copy = `oci:${at('copies')}:${name.replace(/\W/g, '-')}`;
      await must('skopeo', ['copy', storage(name), copy]);
      const config: unknown = JSON.parse(await must('skopeo', ['inspect', '--raw', '--config', copy]));
      expect(config).toMatchObject({ rootfs: { diff_ids: diffIds } });
    },
  );

  it('gives a layer from any byte on', async () => {
    await using source = await opened(`[${root()}]localhost/made:1`);
    const [layer] = imageOf(await source.root()).layers;
    if (!layer) throw new Error('no layer');
    const whole = Buffer.concat(await Array.fromAsync(await source.blob(layer, 0)));
    const rest = Buffer.concat(await Array.fromAsync(await source.blob(layer, 123_457)));
    expect(Buffer.compare(rest, whole.subarray(123_457))).toBe(0);
  });

  it('may have images without a layer', async () => {
    await using source = await opened(`[${root()}]empty:1`);
    expect(imageOf(await source.root()).layers).toEqual([]);
    expect(await read(source)).toEqual({ bytes: 0, diffIds: [] });
  });

  it.each([
    ['as GNU tar writes one, of the graph root', ['-C', '/root', '.'], ''],
    ['with the tree above it, gzipped', ['-z', '-C', '/tree', 'var'], ''],
    ['with holes and zstd', ['--sparse', '--zstd', '-C', '/root', '.'], ''],
  ])('may be a tar archive that is not unpacked: %s', async (_, args) => {
    await rm(at('tree/var/lib/containers/storage'), { recursive: true, force: true });
    await copyStore(at('tree/var/lib/containers/storage'));
    const archive = at('store.tar');
    const paths = args.map((arg) => arg.replace(/^\/root$/, root()).replace(/^\/tree$/, at('tree')));
    await must('tar', ['-cf', archive, ...paths]);
    for (const name of ['localhost/made:1', 'quay.io/pulled/docker:2', 'empty:1']) {
      await using there = await opened(`[${root()}]${name}`);
      await using packed = await opened(`[${archive}]${name}`);
      expect(await packed.root()).toEqual(await there.root());
      expect(await read(packed)).toEqual(await read(there));
    }
  });

  it('names a file that was changed behind its back, and reads none outside of the store', async () => {
    const damaged = at('damaged');
    await copyStore(damaged);
    await using source = await opened(`[${damaged}]localhost/made:1`);
    const [layer] = imageOf(await source.root()).layers;
    if (!layer) throw new Error('no layer');
    const found = (await must('find', [damaged, '-path', '*/diff/etc/motd'])).trim().split('\n');
    const refused = async (message: RegExp) =>
      await expect(drained(await source.blob(layer, 0))).rejects.toMatchObject({
        code: 'TAR_INVALID',
        message: expect.stringMatching(message),
      });
    const replaced = async (replace: (file: string) => Promise<unknown>) => {
      for (const file of found) {
        await rm(file, { force: true });
        await rm(file.replace('motd', 'hard'), { force: true });
        await replace(file);
        await replace(file.replace('motd', 'hard'));
      }
    };
    await replaced((file) => writeFile(file, 'other\n'));
    await refused(/\[\.?\/?etc\/(?:motd|hard)\]: its content is another/);
    await replaced((file) => writeFile(file, 'longer than that\n'));
    await refused(/it has more than 6 bytes, not 6/);
    // The bytes are equal, but the file is a link out of the tree.
    await writeFile(at('motd'), 'hello\n');
    await replaced((file) => symlink(at('motd'), file));
    await refused(/is not there/);
    await replaced((file) => must('mkfifo', [file]));
    await refused(/is not there/);
  });

  it('of another driver, that is empty, or in a damaged archive is refused', async () => {
    await mkdir(at('vfs/vfs-images'), { recursive: true });
    await mkdir(at('nothing'));
    await writeFile(at('no.tar'), 'nothing');
    await must('tar', ['-cf', at('other.tar'), '-C', at('context'), 'late']);
    for (const [text, code] of [
      [`[${at('vfs')}]x`, 'UNSUPPORTED'],
      [`[vfs@${root()}]x`, 'UNSUPPORTED'],
      [`[${at('nothing')}]x`, 'FILE_UNREADABLE'],
      [`[${at('nowhere')}]x`, 'FILE_UNREADABLE'],
      [`[${at('no.tar')}]x`, 'TAR_INVALID'],
      [`[${at('other.tar')}]x`, 'TAR_INVALID'],
    ] as const) {
      await expect(opened(text)).rejects.toMatchObject({ code, hint: expect.any(String) });
    }
  });

  it('that lacks layers of an image says so', async () => {
    const lacking = at('lacking');
    await cp(join(root(), 'overlay-images'), join(lacking, 'overlay-images'), { recursive: true });
    await expect(opened(`[${lacking}]localhost/made:1`)).rejects.toMatchObject({
      code: 'MANIFEST_INVALID',
      hint: expect.stringContaining('Additional image stores'),
    });
    await cp(join(root(), 'overlay-layers'), join(lacking, 'overlay-layers'), { recursive: true });
    const splits = (await must('find', [lacking, '-name', '*.tar-split.gz'])).trim().split('\n');
    for (const file of splits) await rename(file, `${file}.gone`);
    await using source = await opened(`[${lacking}]localhost/made:1`);
    await expect(read(source)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});

/** Links of all kinds, a name that is not UTF-8, a large file, a sparse one, a device, an attribute, and a directory that is a link. */
const TREE = `
mkdir etc dev
echo hello > etc/motd
ln etc/motd etc/hard
ln -s motd etc/soft
ln -s usr/lib lib
echo x > usr/lib/x
printf y > "$(printf 'latin-\\xe9')"
head -c 3000000 /dev/urandom > big
truncate -s 5000000 holes
printf end >> holes
mknod dev/null c 1 3
setfattr -n user.note -v remark etc/motd || true
`;
