// What the doctor finds in a store of containerd: each rule is broken once, in a store that is right otherwise.
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../../../test/peers/temporary.ts';
import { digestOf } from '../../../oci/digest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from '../../../oci/media-types.ts';
import type { TestEntry } from '../../../rootfs/testing/layers.ts';
import { plainHeader } from '../../../tar/plain-header.ts';
import { changed, type StoreEntry } from '../../containers-storage/testing/made-store.ts';
import { type BoltBucket, type BoltEntry, isBoltBucket } from '../bolt/bolt-format.ts';
import { readBolt } from '../bolt/read-bolt.ts';
import { writeBolt } from '../bolt/write-bolt.ts';
import { holdsContainerd, readContainerdArchive } from '../containerd-archive.ts';
import { varint } from '../encodings.ts';
import { imagesInContainerd } from '../list-containerd.ts';
import { madeContainerd, TEST_ROOT } from '../testing/made-containerd.ts';
import { type ExaminedContainerd, examineContainerd } from './check-containerd.ts';
import { CONTAINERD_RULES } from './containerd-problem.ts';

const base: TestEntry[] = [
  { name: 'etc/', mode: 0o750 },
  { name: 'etc/motd', content: 'hello' },
  { name: 'etc/link', type: 'hardlink', linkname: 'etc/motd' },
];
const top: TestEntry[] = [
  { name: 'etc/.wh..wh..opq' },
  { name: 'x', content: 'x' },
  { name: 'a' },
  { name: 'a', content: 'b' },
];
const IMAGES = [
  { names: ['docker.io/library/a:1'], layers: [base] },
  { names: ['quay.io/team/b:2'], layers: [base, top] },
];
const CONTENT = `${TEST_ROOT}/io.containerd.content.v1.content/blobs/sha256`;
const SNAPSHOTS = `${TEST_ROOT}/io.containerd.snapshotter.v1.overlayfs/snapshots`;
const META = 'meta.db';
const METADATA = 'metadata.db';

async function withArchive<T>(
  archive: Uint8Array,
  work: (handle: Awaited<ReturnType<typeof open>>) => Promise<T>,
): Promise<T> {
  await using directory = await temporaryDirectory('containerd');
  const path = join(directory.path, 'store.tar');
  await writeFile(path, archive);
  const handle = await open(path);
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}

const examined = (archive: Uint8Array): Promise<readonly ExaminedContainerd[]> =>
  withArchive(archive, async (handle) => await examineContainerd(await readContainerdArchive(handle, {}), {}));

async function problems(archive: Uint8Array): Promise<readonly string[]> {
  return (await examined(archive)).flatMap((part) => part.problems.map(({ rule }) => rule));
}

/** Replaces what is at the keys; without a value it is removed. `*` is the first key, `$` the last. */
function put(
  { sequence, entries }: BoltBucket,
  [key = '', ...rest]: readonly string[],
  value?: BoltEntry['value'],
): BoltBucket {
  const chosen = key === '*' ? entries[0] : key === '$' ? entries.at(-1) : undefined;
  const name = chosen ? Buffer.from(chosen.key).toString() : key;
  const others = entries.filter((one) => Buffer.from(one.key).toString() !== name);
  const old = entries.find((one) => Buffer.from(one.key).toString() === name)?.value;
  const made = rest.length > 0 ? put(old && isBoltBucket(old) ? old : { entries: [] }, rest, value) : value;
  return {
    ...(sequence && { sequence }),
    entries: [...others, ...(made ? [{ key: Buffer.from(name), value: made }] : [])],
  };
}

const inDatabase = (name: string, keys: readonly string[], value?: BoltEntry['value']) => (entry: StoreEntry) =>
  entry.name.endsWith(`/${name}`)
    ? [{ ...entry, content: Buffer.from(writeBolt(put(readBolt(entry.content), keys, value))) }]
    : [entry];
const text = (value: string) => Buffer.from(value);
const without = (pattern: RegExp) => (entry: StoreEntry) => (pattern.test(entry.name) ? [] : [entry]);
const replaced = (pattern: RegExp, change: Partial<StoreEntry>) => (entry: StoreEntry) =>
  pattern.test(entry.name) ? [{ ...entry, ...change }] : [entry];
const added = (entry: Partial<StoreEntry> & Pick<StoreEntry, 'name'>): StoreEntry => ({
  ...plainHeader({ type: 'file', mode: 0o644, ...entry }),
  content: Buffer.alloc(0),
  ...entry,
});
const same = (entry: StoreEntry) => [entry];

type Change = (entry: StoreEntry) => readonly StoreEntry[];

describe('a store of containerd that was made', () => {
  it.each([
    ['whole', {}],
    ['without blobs of layers', { withLayers: false }],
    ['shared', { shared: true }],
    ['of k3s', { root: 'var/lib/rancher/k3s/agent/containerd' }],
  ] as const)('is right: %s', async (_, options) => {
    const { archive } = await madeContainerd(IMAGES, options);
    const parts = await examined(archive);
    expect(parts.flatMap((part) => part.problems)).toEqual([]);
    expect(parts.map(({ what }) => what).sort()).toEqual(
      ['store', 'snapshot 1', 'snapshot 2', 'image docker.io/library/a:1', 'image quay.io/team/b:2'].sort(),
    );
    const notes = parts.flatMap((part) => part.notes ?? []);
    expect(notes).toHaveLength('withLayers' in options ? 2 : 0);
  });

  it('lists its images with the names that people use', async () => {
    const { archive, written } = await madeContainerd(IMAGES);
    const listed = await withArchive(archive, async (handle) => {
      expect(await holdsContainerd(handle)).toBe(true);
      return await imagesInContainerd(await readContainerdArchive(handle, {}));
    });
    expect(listed.map(({ names, digest, chain }) => ({ names, digest, layers: chain.length }))).toEqual(
      expect.arrayContaining(
        written.images.map(({ names, digest }) => ({ names, digest, layers: names[0]?.startsWith('quay') ? 2 : 1 })),
      ),
    );
  });
});

type Case = readonly [rule: keyof typeof CONTAINERD_RULES, what: string, change: Change, more?: readonly StoreEntry[]];

const K8S = ['v1', 'k8s.io'];
const BLOBS = [...K8S, 'content', 'blob'];
const OVERLAYFS = [...K8S, 'snapshots', 'overlayfs'];

describe('in a store of containerd', () => {
  const cases: readonly Case[] = [
    ['version', 'a version of the future', inDatabase(META, ['v1', 'version'], varint(9))],
    ['modes', 'a database that others can write', replaced(/meta\.db$/, { mode: 0o666 })],
    ['duplicate-entry', 'a name that comes twice', same, [added({ name: `${SNAPSHOTS}/1/fs/etc/motd` })]],
    ['outside', 'a file beside the root', same, [added({ name: 'etc/passwd' })]],
    ['outside', 'a name that climbs', same, [added({ name: `${TEST_ROOT}/opt/../x` })]],
    ['orphan', 'a file that nothing is known of', same, [added({ name: `${TEST_ROOT}/strange` })]],
    ['orphan', 'a blob that is in no record', same, [added({ name: `${CONTENT}/${'1'.repeat(64)}` })]],
    ['orphan', 'a directory of no snapshot', same, [added({ name: `${SNAPSHOTS}/7/`, type: 'directory' })]],
    ['blob', 'a blob that is missing', without(new RegExp(`${CONTENT}/.`))],
    ['blob', 'a record of no digest', inDatabase(META, [...BLOBS, 'sha256:12', 'size'], varint(1))],
    [
      'image-target',
      'a name that points to nothing',
      inDatabase(
        META,
        [...K8S, 'images', 'docker.io/library/z:1', 'target', 'digest'],
        text(`sha256:${'2'.repeat(64)}`),
      ),
    ],
    ['cri-names', 'a name less', inDatabase(META, [...K8S, 'images', '$'])],
    ['cri-names', 'an image that is not pinned', inDatabase(META, [...K8S, 'images', 'quay.io/team/b:2', 'labels'])],
    [
      'name',
      'a name without its host',
      inDatabase(META, [...K8S, 'images', 'a:1', 'target', 'digest'], text(`sha256:${'2'.repeat(64)}`)),
    ],
    ['snapshot', 'a snapshot that only one database has', inDatabase(METADATA, ['v1', 'snapshots', '*'])],
    ['snapshot', 'a snapshot that the other database lacks', inDatabase(META, [...OVERLAYFS, '*'])],
    ['snapshot', 'a child that is not listed', inDatabase(METADATA, ['v1', 'parents'])],
    [
      'snapshot',
      'a number that will be given again',
      (entry) => (entry.name.endsWith(METADATA) ? [withSequence(entry, 1)] : [entry]),
    ],
    ['snapshot', 'a directory that is missing', without(new RegExp(`${SNAPSHOTS}/2/fs`))],
    ['snapshot', 'a snapshot of another kind', inDatabase(METADATA, ['v1', 'snapshots', '*', 'kind'], Buffer.of(1))],
    ['tree', 'a file that is missing', without(/fs\/x$/)],
    ['tree', 'a file too many', same, [added({ name: `${SNAPSHOTS}/2/fs/more` })]],
    ['tree', 'another owner', replaced(/fs\/x$/, { uid: 5 })],
    ['whiteout-files', 'a whiteout that is a file', same, [added({ name: `${SNAPSHOTS}/2/fs/.wh.etc` })]],
    ['hard-link', 'a hard link that leads out', replaced(/fs\/etc\/link$/, { linkname: 'etc/passwd' })],
    [
      'overlay-xattr',
      'an attribute of overlayfs',
      replaced(/fs\/x$/, { xattrs: new Map([['trusted.overlay.redirect', text('/etc')]]) }),
    ],
  ];

  const named = cases.map(([rule, what, change, more = []]) => ({ rule, what, change, more }));

  it.each(named)('the rule $rule finds $what', async ({ rule, change, more }) => {
    const { archive } = await madeContainerd(IMAGES);
    const broken = await changed(archive, change, more);
    expect(await problems(broken)).toContain(rule);
  });

  it('labels that are missing are found, at each step', async () => {
    const { archive } = await madeContainerd(IMAGES);
    let removed = 0;
    const bare = await changed(archive, (entry) => {
      if (!entry.name.endsWith('/meta.db')) return [entry];
      let root = readBolt(entry.content);
      const blobs = bucketAt(root, BLOBS);
      for (const { key } of blobs.entries) {
        root = put(root, [...BLOBS, Buffer.from(key).toString(), 'labels']);
        removed++;
      }
      return [{ ...entry, content: Buffer.from(writeBolt(root)) }];
    });
    expect(removed).toBe(6);
    const found = (await examined(bare)).flatMap((part) => part.problems);
    expect(new Set(found.map(({ rule }) => rule))).toEqual(new Set(['keeping']));
    expect(found).toHaveLength(2 + 2 + 3);
  });

  /** Blobs beside those of the store, and a name for the last of them. */
  async function withBlobs(...blobs: readonly object[]): Promise<Buffer> {
    const { archive } = await madeContainerd(IMAGES);
    const files = blobs.map((one) => Buffer.from(JSON.stringify(one)));
    const target = [...K8S, 'images', 'docker.io/library/z:1', 'target', 'digest'];
    const last = digestOf(files.at(-1) ?? Buffer.alloc(0));
    const more = files.map((content) =>
      added({ name: `${CONTENT}/${digestOf(content).slice(7)}`, size: content.length, content }),
    );
    return await changed(archive, inDatabase(META, target, text(last)), more);
  }
  const descriptor = (one: object, mediaType: string) => {
    const bytes = Buffer.from(JSON.stringify(one));
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  };

  it('indexes that name one child many times, many levels deep, are read once each', async () => {
    const levels: object[] = [];
    for (let level = 0; level < 10; level++) {
      const child = descriptor(levels.at(-1) ?? {}, OCI_INDEX);
      levels.push({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: Array.from({ length: 50 }, () => child) });
    }
    expect(await problems(await withBlobs(...levels))).toContain('image-target');
  });

  it('an image of more layers than can be mounted is told of once', async () => {
    const layers = Array.from({ length: 3000 }, () => descriptor({}, OCI_LAYER));
    const config = { rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) } };
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: descriptor(config, OCI_CONFIG), layers };
    const found = (await examined(await withBlobs(config, manifest))).flatMap((part) => part.problems);
    expect(found.filter(({ rule }) => rule === 'chain').map(({ text }) => text)).toEqual([
      'an image of 3000 layers cannot be mounted',
    ]);
  });

  it('a layer that is not unpacked is found', async () => {
    const { archive } = await madeContainerd(IMAGES);
    const found = await problems(
      await changed(archive, (entry) =>
        [...inDatabase(META, OVERLAYFS)(entry)].flatMap(inDatabase(METADATA, ['v1', 'snapshots'])),
      ),
    );
    expect(found).toContain('chain');
  });

  it('every rule is broken by one of these tests', () => {
    const tested = new Set<string>([...cases.map(([rule]) => rule), 'keeping', 'chain']);
    expect(Object.keys(CONTAINERD_RULES).filter((rule) => !tested.has(rule))).toEqual([]);
  });

  it.each([
    ['no database', without(/meta\.db$/), 'it has no io.containerd.metadata.v1.bolt/meta.db'],
    [
      'a link for a database',
      replaced(/metadata\.db$/, { type: 'symlink', linkname: '/x', content: Buffer.alloc(0) }),
      'a database of containerd is not there',
    ],
    [
      'a database that is cut off',
      (entry: StoreEntry) =>
        entry.name.endsWith('/meta.db') ? [{ ...entry, content: entry.content.subarray(0, 8192) }] : [entry],
      'it ends early',
    ],
  ] as const)('%s is said at once', async (_, change, message) => {
    const { archive } = await madeContainerd(IMAGES);
    await expect(examined(await changed(archive, change))).rejects.toMatchObject({
      code: 'TAR_INVALID',
      message: expect.stringContaining(message),
    });
  });
});

function withSequence(entry: StoreEntry, sequence: number): StoreEntry {
  const root = readBolt(entry.content);
  const snapshots = { ...bucketAt(root, ['v1', 'snapshots']), sequence };
  return { ...entry, content: Buffer.from(writeBolt(put(root, ['v1', 'snapshots'], snapshots))) };
}

function bucketAt(root: BoltBucket, keys: readonly string[]): BoltBucket {
  let found: BoltBucket = root;
  for (const key of keys) {
    const value = found.entries.find((one) => Buffer.from(one.key).toString() === key)?.value;
    if (!value || !isBoltBucket(value)) throw new Error(`no bucket ${key}`);
    found = value;
  }
  return found;
}
