// Reads an archive to which an image is added, trusting nothing, so that its content can be written again with the new image. An archive that is not of this
// form is not replaced.
import { type FileHandle, open, stat } from 'node:fs/promises';
import { compressionOf, MAGIC_LENGTH } from '../../io/compression/compression.ts';
import { isFsError, translatingFsErrors } from '../../io/files/fs-errors.ts';
import { targetAt } from '../../io/files/special-file.ts';
import type { Bytes, CallOptions } from '../../io/streams/bytes.ts';
import * as decode from '../../oci/decode.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { decodeManifest, type RawManifest, successors } from '../../oci/manifest.ts';
import { blobPath, INDEX_FILE, LAYOUT_FILE, readSmall } from '../layout/layout-files.ts';
import { decodeLayoutIndex } from '../layout/layout-index.ts';
import { MAX_INDEX_SIZE, readManifest } from '../layout/layout-source.ts';
import { type ArchiveFile, openArchive } from './archive-file.ts';

export interface KeptBlob {
  readonly descriptor: Descriptor;
  /** Opens the blob as a range of the archive. */
  open(): Promise<Bytes>;
}

export interface KeptArchive extends AsyncDisposable {
  /** index.json, all of its fields. */
  readonly index: decode.Json;
  /** The entries of index.json, unchanged. */
  readonly entries: readonly unknown[];
  /** The manifests that index.json lists, and those below them, as far as they are present and readable. */
  readonly manifests: readonly RawManifest[];
  /** All blobs except the manifests. */
  readonly blobs: ReadonlyMap<Digest, KeptBlob>;
  /** Digests that are reachable from index.json. Other blobs belong to something that is not understood. */
  readonly reached: ReadonlySet<Digest>;
  /** Reads one of the files beside the layout. */
  read(path: string): Promise<Uint8Array | undefined>;
}

export interface KeptOptions extends CallOptions {
  /** `oci-archive:FILE`. */
  readonly label: string;
  readonly temporaryDirectory: string;
  /** Files beside the layout. */
  readonly beside: readonly string[];
  /** The files of `beside` that must be there. */
  readonly required: readonly string[];
}

/** Returns `undefined` if there is no archive yet. Errors: LOCATION_INVALID for one to which nothing can be added: damaged, compressed, or of another form. */
export async function openKept(path: string, options: KeptOptions): Promise<KeptArchive | undefined> {
  if (!(await holdsSomething(path))) return undefined;
  let archive: ArchiveFile | undefined;
  try {
    await requirePlain(path);
    archive = await openArchive(path, options);
    requireForm(archive, options);
    return await readKept(archive);
  } catch (error) {
    await archive?.[Symbol.asyncDispose]();
    throw isImagesError(error) && error.code !== 'ABORTED' ? cannotBeAddedTo(options.label, error) : error;
  }
}

export function cannotBeAddedTo(label: string, cause: ImagesError): ImagesError {
  const why = cause.message.replace(` [${label}]`, '');
  return new ImagesError('LOCATION_INVALID', `no image can be added to what is there: ${why} [${label}]`, {
    hint: 'It stays as it is: name another file, or remove this one.',
    cause,
  });
}

async function holdsSomething(path: string): Promise<boolean> {
  if ((await translatingFsErrors(path, () => targetAt(path))) !== 'file') return false;
  try {
    return (await stat(path)).size > 0;
  } catch (error) {
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

async function requirePlain(path: string): Promise<void> {
  const handle: FileHandle = await translatingFsErrors(path, () => open(path, 'r'));
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAGIC_LENGTH), 0, MAGIC_LENGTH, 0);
    const compression = compressionOf(buffer.subarray(0, bytesRead));
    if (compression) throw new ImagesError('LOCATION_INVALID', `it is compressed (${compression})`);
  } finally {
    await handle.close();
  }
}

/** Errors: LOCATION_INVALID if a file would be lost, or a required one is missing. */
function requireForm(archive: ArchiveFile, { beside, required }: KeptOptions): void {
  const own = [INDEX_FILE, LAYOUT_FILE, ...beside];
  const other = [...archive.names(), ...archive.others()].find(
    (name) => digestOfPath(name).length === 0 && !own.includes(name),
  );
  if (other !== undefined) throw new ImagesError('LOCATION_INVALID', `it holds ${other}`);
  for (const name of [INDEX_FILE, ...required]) {
    if (!archive.find(name)) throw new ImagesError('LOCATION_INVALID', `it has no ${name}`);
  }
}

async function readKept(archive: ArchiveFile): Promise<KeptArchive> {
  const read = (path: string) => readSmall(archive, path, MAX_INDEX_SIZE);
  const bytes = (await read(INDEX_FILE)) ?? Buffer.alloc(0);
  const listed = decodeLayoutIndex(bytes, archive.label);
  const index = decode.object(decode.parseJson(bytes, INDEX_FILE), INDEX_FILE);
  const { manifests, reached } = await readBelow(archive, listed);
  const blobs = new Map<Digest, KeptBlob>();
  for (const path of archive.names()) {
    const [digest] = digestOfPath(path);
    const { size } = archive.find(path) ?? {};
    if (digest === undefined || size === undefined || manifests.has(digest)) continue;
    blobs.set(digest, { descriptor: { mediaType: '', digest, size }, open: () => archive.open(path, 0) });
  }
  return {
    index,
    entries: decode.array(index.manifests ?? [], `${INDEX_FILE}.manifests`),
    manifests: [...manifests.values()],
    blobs,
    reached,
    read,
    [Symbol.asyncDispose]: archive[Symbol.asyncDispose],
  };
}

interface Below {
  readonly manifests: ReadonlyMap<Digest, RawManifest>;
  readonly reached: ReadonlySet<Digest>;
}

/** Reads manifests recursively. Children of an index may be absent. Errors: DIGEST_INVALID, SIZE_INVALID for a damaged manifest. */
async function readBelow(archive: ArchiveFile, listed: readonly Descriptor[]): Promise<Below> {
  const manifests = new Map<Digest, RawManifest>();
  const reached = new Set<Digest>();
  const walk = async (descriptor: Descriptor): Promise<void> => {
    if (reached.has(descriptor.digest) || !archive.find(blobPath(descriptor.digest))) return;
    const raw = await readManifest(archive, descriptor);
    const manifest = understood(raw);
    if (!manifest) return;
    reached.add(raw.digest);
    manifests.set(raw.digest, raw);
    const below = successors(manifest);
    for (const { digest } of below.blobs) reached.add(digest);
    for (const child of below.manifests) await walk(child);
  };
  for (const entry of listed) await walk(entry);
  return { manifests, reached };
}

/** Returns `undefined` for a manifest that cannot be decoded. It is kept, with all blobs that no other manifest names. */
function understood(raw: RawManifest): ReturnType<typeof decodeManifest> | undefined {
  try {
    return decodeManifest(raw);
  } catch (error) {
    if (isImagesError(error)) return undefined;
    throw error;
  }
}

/** The digest of a file `blobs/sha256/HEX`; empty for other files. */
export function digestOfPath(path: string): readonly Digest[] {
  const [, algorithm, hex] = /^blobs\/(\w+)\/([0-9a-f]+)$/.exec(path) ?? [];
  return [`${algorithm}:${hex}`].filter(isDigest);
}
