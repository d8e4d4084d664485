// An image in an OCI layout as a source: in a directory, or in anything else that implements `LayoutFiles`.
import { verified } from '../../io/streams/verify.ts';
import { addAll } from '../../oci/add-all.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digestAlgorithm } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import {
  decodeManifest,
  MAX_MANIFEST_SIZE,
  type Manifest,
  type RawManifest,
  rawManifest,
  referrerDescriptor,
  verifyBytes,
} from '../../oci/manifest.ts';
import { isIndexType, OCI_INDEX } from '../../oci/media-types.ts';
import type { ImageSource } from '../contract.ts';
import { noBlob, requireSize } from '../wrong-parts.ts';
import { blobPath, INDEX_FILE, type LayoutFiles, layoutDirectoryFiles, readSmall } from './layout-files.ts';
import { byTag, decodeLayoutIndex, entryOf, isAttachedTag, namesOf, selectEntries } from './layout-index.ts';
import type { LayoutLocation } from './layout-location.ts';

/** Limit of index.json in bytes: no layout has a larger one. */
export const MAX_INDEX_SIZE = 64 * 1024 * 1024;

/** `oci:DIR[:REF]`. Reads nothing before the first request. */
export function ociSource(location: LayoutLocation): ImageSource {
  return layoutSource(layoutDirectoryFiles(location.path, `oci:${location.path}`), location);
}

/** The lists of a layout, read once for all of its images. */
export interface LayoutLists {
  entries(): Promise<readonly Descriptor[]>;
  referrers(): Promise<ReadonlyMap<Digest, readonly Descriptor[]>>;
}

export function layoutLists(files: LayoutFiles): LayoutLists {
  const entries = once(async () => allEntries(files, await readLayoutIndex(files)));
  return { entries, referrers: once(async () => referrersBySubject(files, await entries())) };
}

/** The files stay the caller's. Errors of `root`: LOCATION_INVALID (not a layout), MANIFEST_UNKNOWN, with the images that are there. */
export function layoutSource(
  files: LayoutFiles,
  wanted: Omit<LayoutLocation, 'path'>,
  { entries, referrers }: LayoutLists = layoutLists(files),
): ImageSource {
  return {
    label: files.label,
    host: '',
    root: once(async () => rootOf(files, await entries(), wanted)),
    manifest: (descriptor) => readManifest(files, descriptor),
    async blob(descriptor, from) {
      const size = await files.size(blobPath(descriptor.digest));
      if (size === undefined) throw noBlob(descriptor.digest, files.label, files.why?.(blobPath(descriptor.digest)));
      requireSize('blob', size, descriptor);
      const body = await files.open(blobPath(descriptor.digest), from);
      return from === 0 ? verified(body, descriptor) : body;
    },
    async *referrers(subject) {
      yield* (await referrers()).get(subject) ?? [];
    },
    async statTag(tag) {
      const entry = byTag(await entries(), tag);
      return entry && { mediaType: entry.mediaType, digest: entry.digest, size: entry.size };
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Errors: LOCATION_INVALID. */
export async function readLayoutIndex(files: LayoutFiles): Promise<readonly Descriptor[]> {
  const bytes = await readSmall(files, INDEX_FILE, MAX_INDEX_SIZE);
  if (!bytes) {
    throw new ImagesError('LOCATION_INVALID', `no OCI layout: it has no index.json [${files.label}]`, {
      hint: 'Name a directory, or an archive of one, that a tool has written as an OCI layout.',
    });
  }
  return decodeLayoutIndex(bytes, files.label);
}

/** Errors: MANIFEST_UNKNOWN, SIZE_INVALID, DIGEST_INVALID, MANIFEST_INVALID. */
export async function readManifest(files: LayoutFiles, descriptor: Descriptor): Promise<RawManifest> {
  const { digest, mediaType } = descriptor;
  const bytes = await readSmall(files, blobPath(digest), MAX_MANIFEST_SIZE);
  if (!bytes) throw noManifest(files, digest);
  verifyBytes(bytes, descriptor);
  return rawManifest(bytes, mediaType || undefined, digestAlgorithm(digest));
}

function noManifest(files: LayoutFiles, digest: Digest): ImagesError {
  const why = files.why?.(blobPath(digest));
  return new ImagesError('MANIFEST_UNKNOWN', `it has no manifest ${digest}${why ? `: ${why}` : ''} [${files.label}]`);
}

async function rootOf(
  files: LayoutFiles,
  entries: readonly Descriptor[],
  wanted: Omit<LayoutLocation, 'path'>,
): Promise<RawManifest> {
  if (wanted.digest) {
    const size = await files.size(blobPath(wanted.digest));
    const listed = entryOf(entries, wanted.digest);
    const stored = size === undefined ? undefined : { mediaType: '', digest: wanted.digest, size };
    const found = listed ?? stored;
    if (!found) throw noManifest(files, wanted.digest);
    return readManifest(files, found);
  }
  const [first, ...others] = selectEntries(entries, wanted, files.label);
  if (first && others.length === 0) return readManifest(files, first);
  // There is no other index of this image, so one is made of the entries in index.json.
  const manifests = [first, ...others].map((entry) => entry && { ...entry, annotations: undefined });
  return rawManifest(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests })));
}

/** The entries of index.json, and named ones in the indexes below it (image-layout.md lets indexes nest). */
async function allEntries(files: LayoutFiles, listed: readonly Descriptor[]): Promise<readonly Descriptor[]> {
  const entries = [...listed];
  const seen = new Set<Digest>();
  for (const entry of listed) {
    if (!isIndexType(entry.mediaType) || namesOf(entry).length > 0 || seen.has(entry.digest)) continue;
    seen.add(entry.digest);
    const read = await tryRead(files, entry);
    if (read?.manifest.kind !== 'index') continue;
    addAll(
      entries,
      read.manifest.manifests.filter((child) => namesOf(child).length > 0),
    );
  }
  return entries;
}

async function referrersBySubject(
  files: LayoutFiles,
  entries: readonly Descriptor[],
): Promise<ReadonlyMap<Digest, readonly Descriptor[]>> {
  const found = new Map<Digest, Map<Digest, Descriptor>>();
  for await (const { raw, manifest } of possibleReferrers(files, entries)) {
    if (!manifest.subject) continue;
    const { digest } = manifest.subject;
    const known = found.get(digest) ?? new Map<Digest, Descriptor>();
    found.set(digest, known.set(raw.digest, referrerDescriptor(raw, manifest)));
  }
  return new Map([...found].map(([subject, known]) => [subject, [...known.values()]]));
}

/** Manifests with a `subject` are in index.json, or in an index that it lists without a name or under the subject's fallback tag. */
async function* possibleReferrers(files: LayoutFiles, entries: readonly Descriptor[]): AsyncGenerator<ReadManifest> {
  const distinct = new Map(entries.map((entry) => [entry.digest, entry]));
  for (const entry of distinct.values()) {
    const listed = await tryRead(files, entry);
    if (!listed) continue;
    yield listed;
    if (listed.manifest.kind !== 'index' || !isListOfReferrers(entry)) continue;
    for (const child of listed.manifest.manifests) {
      const below = await tryRead(files, child);
      if (below) yield below;
    }
  }
}

function isListOfReferrers(index: Descriptor): boolean {
  const names = namesOf(index);
  return names.length === 0 || names.some(isAttachedTag);
}

interface ReadManifest {
  readonly raw: RawManifest;
  readonly manifest: Manifest;
}

async function tryRead(files: LayoutFiles, entry: Descriptor): Promise<ReadManifest | undefined> {
  const raw = await tryReadRaw(files, entry);
  const manifest = raw && tryDecode(raw);
  return raw && manifest && { raw, manifest };
}

/** Returns `undefined` if the entry is missing or not a manifest: that is reported when its own image is read. */
async function tryReadRaw(files: LayoutFiles, entry: Descriptor): Promise<RawManifest | undefined> {
  try {
    return await readManifest(files, entry);
  } catch (error) {
    if (isImagesError(error)) return undefined;
    throw error;
  }
}

function tryDecode(raw: RawManifest): Manifest | undefined {
  try {
    return decodeManifest(raw);
  } catch (error) {
    if (isImagesError(error)) return undefined;
    throw error;
  }
}

/** All calls share the outcome of the first one (single-flight); a failure is not kept. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= work().catch((error: unknown) => {
      running = undefined;
      throw error;
    });
    return running;
  };
}
