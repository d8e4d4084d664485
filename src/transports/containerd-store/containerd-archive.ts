// A store of containerd in a tar archive: its entries by path, and its databases. Nothing is unpacked. The shared form has its own part as an archive in it.
import type { FileHandle } from 'node:fs/promises';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import type { Bytes, CallOptions } from '../../io/streams/bytes.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { type SoughtEntry, seekEntries } from '../archive/seek-entries.ts';
import type { Labels } from './containerd-records.ts';
import { type MetaRecords, readMetaDb, readSnapshotsDb, type SnapshotterRecords } from './read-containerd-records.ts';
import { blobPlace, META_DB, OWN_PART, SHARED_AT, SNAPSHOTS, SNAPSHOTS_DB } from './store-places.ts';

/** In bytes: of a database. One of ten thousand images is far smaller. */
const MAX_DB = 1 << 30;

/** A snapshot's directory: entries by path below it, in the order of the archive. */
export type SnapshotTree = readonly (readonly [string, SoughtEntry])[];

export interface ContainerdArchive {
  readonly handle: FileHandle;
  /** containerd's root in the archive, with a trailing `/`. */
  readonly root: string;
  /** By path below the root; directories without the trailing `/`. */
  readonly entries: ReadonlyMap<string, SoughtEntry>;
  /** In the shared form: what all VMs share, by path. */
  readonly shared: ReadonlyMap<string, SoughtEntry> | undefined;
  readonly outside: readonly SoughtEntry[];
  /** Names that occur more than once. */
  readonly duplicates: readonly string[];
  readonly meta: MetaRecords;
  readonly snapshotter: SnapshotterRecords;
  /** The file of a blob, where a link leads to it as well. */
  blob(digest: string): SoughtEntry | undefined;
  /** What is recorded of a blob. */
  labels(digest: string): Labels;
  /** The path of a snapshot's directory in the archive, without `/` at its end. */
  directory(id: number): string;
  tree(id: number): SnapshotTree;
}

/** Whether a tar archive holds a store of containerd. Errors: TAR_INVALID. */
export async function holdsContainerd(handle: FileHandle, options: CallOptions = {}): Promise<boolean> {
  for await (const { name, type } of seekEntries(handle, options)) {
    const path = cleaned(name);
    if (type === 'file' && (path === OWN_PART || path.endsWith(META_DB))) return true;
    // The first file of a store of the other kind, or of another archive.
    if (type === 'file' && !/(?:^|\/)io\.containerd\.|^(?:content|snapshots)\//.test(path)) return false;
  }
  return false;
}

/** The handle stays the caller's. Errors: TAR_INVALID, also if the archive holds no such store. */
export async function readContainerdArchive(handle: FileHandle, options: CallOptions): Promise<ContainerdArchive> {
  const all: SoughtEntry[] = [];
  for await (const entry of seekEntries(handle, options)) all.push(entry);
  const part = all.find(({ name, type }) => type === 'file' && cleaned(name) === OWN_PART);
  const own: SoughtEntry[] = part ? [] : all;
  if (part) {
    const range = { from: part.at, to: part.at + part.size };
    for await (const entry of seekEntries(handle, { ...options, ...range })) own.push(entry);
  }
  const root = rootOf(own);
  const duplicates: string[] = [];
  const outside: SoughtEntry[] = [];
  const entries = new Map<string, SoughtEntry>();
  for (const entry of own) {
    const name = cleaned(entry.name);
    const isBelow = name.startsWith(root) || `${name}/` === root;
    if (isBelow) note(entries, name.slice(root.length), entry, duplicates);
    else outside.push(entry);
  }
  const shared = part && new Map<string, SoughtEntry>();
  if (shared) for (const entry of all) note(shared, cleaned(entry.name), entry, duplicates);
  const trees = treesOf(entries, `${SNAPSHOTS}/`);
  const sharedTrees = shared && treesOf(shared, 'snapshots/');
  const read = (path: string) => database(handle, entries.get(path), path);
  const meta = readMetaDb(await read(META_DB));
  const snapshotter = readSnapshotsDb(await read(SNAPSHOTS_DB));
  const linked = (entry: SoughtEntry | undefined) =>
    entry?.type === 'symlink' && entry.linkname.startsWith(`${SHARED_AT}/`)
      ? shared?.get(entry.linkname.slice(SHARED_AT.length + 1))
      : entry;
  const labels = new Map(meta.blobs.map((blob) => [blob.digest, blob.labels]));
  const isLink = (id: number) => entries.get(`${SNAPSHOTS}/${id}`)?.type === 'symlink';
  return {
    handle,
    root,
    entries,
    shared,
    outside,
    duplicates,
    meta,
    snapshotter,
    blob: (digest) => (isDigest(digest) ? linked(entries.get(blobPlace(digest))) : undefined),
    labels: (digest) => labels.get(digest) ?? {},
    directory: (id) => (isLink(id) ? `snapshots/${id}` : `${root}${SNAPSHOTS}/${id}`),
    tree: (id) => (isLink(id) ? sharedTrees : trees)?.get(id) ?? [],
  };
}

/** The bytes of a file in the archive. */
export async function entryBytes(handle: FileHandle, { at, size }: SoughtEntry): Promise<Bytes> {
  return await readFileBytes(handle, { from: at, to: at + size });
}

/** A manifest or a config. Returns `undefined` if it is not there, or larger than `most` bytes. */
export async function smallBlob(archive: ContainerdArchive, digest: Digest, most: number): Promise<Buffer | undefined> {
  const entry = archive.blob(digest);
  if (entry?.type !== 'file' || entry.size > most) return undefined;
  return Buffer.concat(await Array.fromAsync(await entryBytes(archive.handle, entry)));
}

/** Of several (an image may contain a store), the shortest. */
function rootOf(entries: readonly SoughtEntry[]): string {
  const found = entries
    .map(({ name }) => cleaned(name))
    .filter((name) => name === META_DB || name.endsWith(`/${META_DB}`))
    .sort((a, b) => a.length - b.length)[0];
  if (found !== undefined) return found.slice(0, -META_DB.length);
  throw new ImagesError('TAR_INVALID', `the archive holds no store of containerd: it has no ${META_DB}`, {
    hint: 'It is the archive of something else, or was not written to its end.',
  });
}

function note(entries: Map<string, SoughtEntry>, path: string, entry: SoughtEntry, duplicates: string[]): void {
  if (entries.has(path)) duplicates.push(entry.name);
  entries.set(path, entry);
}

function treesOf(entries: ReadonlyMap<string, SoughtEntry>, prefix: string): ReadonlyMap<number, SnapshotTree> {
  const trees = new Map<number, (readonly [string, SoughtEntry])[]>();
  for (const [path, entry] of entries) {
    if (!path.startsWith(prefix)) continue;
    const [, id, below = ''] = /^(\d{1,15})(?:\/(.*))?$/s.exec(path.slice(prefix.length)) ?? [];
    if (id === undefined) continue;
    const tree = trees.get(Number(id));
    if (tree) tree.push([below, entry]);
    else trees.set(Number(id), [[below, entry]]);
  }
  return trees;
}

async function database(handle: FileHandle, entry: SoughtEntry | undefined, path: string): Promise<Uint8Array> {
  if (entry?.type !== 'file' || entry.size > MAX_DB) {
    throw new ImagesError('TAR_INVALID', `a database of containerd is not there, or is no file [${path}]`, {
      hint: 'Make the archive again: containerd needs a copy of its own.',
    });
  }
  return Buffer.concat(await Array.fromAsync(await entryBytes(handle, entry)));
}

function cleaned(path: string): string {
  return path.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '');
}
