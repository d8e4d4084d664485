// An archive into which images are put, those that it held with them: written anew beside the old one, whose place it takes when it is whole.
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { translatingFsErrors } from '../../io/files/fs-errors.ts';
import { acquireLock, type Lock } from '../../io/files/lock.ts';
import { targetAt } from '../../io/files/special-file.ts';
import type { CallOptions, OpenContent } from '../../io/streams/bytes.ts';
import { tapped } from '../../io/streams/verify.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import type { SmallFile } from './archive-format.ts';
import { archiveWriter } from './archive-writer.ts';
import { cannotBeAddedTo, type KeptArchive, openKept } from './kept-archive.ts';
import { layoutSmallFiles, type MemoryManifests, memoryManifests } from './memory-manifests.ts';

export interface GrowingOptions {
  readonly label: string;
  /** See `ArchiveWriterOptions`. */
  readonly temporaryDirectory: string;
  /** What is there is replaced, and not looked at. */
  readonly replaces?: boolean;
  /** Files beside the layout; and of these, those that have to be in an archive that is there. */
  readonly beside?: readonly string[];
  readonly required?: readonly string[];
}

export interface GrowingArchive extends AsyncDisposable {
  readonly manifests: MemoryManifests;
  /** What was there before; read once, and nobody else writes the archive from then on. Errors: as `openKept`. */
  kept(call?: CallOptions): Promise<KeptArchive | undefined>;
  has(digest: Digest): boolean;
  /** Blobs that are going to come. */
  expect(blobs: readonly Descriptor[]): void;
  putBlob(blob: Descriptor, open: OpenContent, call?: CallOptions): Promise<void>;
  /** The archive with these entries, what they need, and what of the old one is not understood. Errors: PLACE_INVALID where the old one proves damaged. */
  finish(entries: readonly unknown[], more?: FinishOptions): Promise<void>;
}

export interface FinishOptions extends CallOptions {
  /** Blobs that are needed beside those of the entries. */
  readonly needed?: readonly Digest[];
  readonly files?: readonly SmallFile[];
}

/** `has`: of blobs that are elsewhere until they are put at the end. */
export function growingArchive(
  path: string,
  { label, temporaryDirectory, replaces = false, beside = [], required = [] }: GrowingOptions,
  hasToo: (digest: Digest) => boolean = () => false,
): GrowingArchive {
  const writer = archiveWriter(path, { temporaryDirectory });
  let old: KeptArchive | undefined;
  let opening: Promise<KeptArchive | undefined> | undefined;
  let lock: Lock | undefined;
  const has = (digest: Digest): boolean => writer.has(digest) || (old?.blobs.has(digest) ?? false) || hasToo(digest);
  const manifests = memoryManifests({ has });

  const openOld = async (call: CallOptions): Promise<KeptArchive | undefined> => {
    if (replaces || !(await canBeLocked(path))) return undefined;
    lock = await translatingFsErrors(path, () => acquireLock(join(dirname(path), `.${basename(path)}.lock`), call));
    old = await openKept(path, { label, temporaryDirectory, beside, required, ...call });
    for (const manifest of old?.manifests ?? []) manifests.put(manifest);
    // They get their places with those that come: what is in the archive says where it stands, not when it came.
    writer.expect([...(old?.blobs.values() ?? [])].map(({ descriptor }) => descriptor));
    return old;
  };

  const kept = (call: CallOptions = {}): Promise<KeptArchive | undefined> => {
    opening ??= openOld(call);
    return opening;
  };

  const damaged = (error: unknown): never => {
    throw isImagesError(error, 'DIGEST_INVALID', 'SIZE_INVALID') ? cannotBeAddedTo(label, error) : error;
  };

  return {
    manifests,
    kept,
    has,
    expect: (blobs) => writer.expect(blobs),
    putBlob: (blob, open, call) => writer.putBlob(blob, open, call),
    async finish(entries, { needed = [], files = [], signal } = {}) {
      const { blobs, raws } = manifests.below(digestsOf(entries));
      const foreign = [...(old?.blobs.keys() ?? [])].filter((digest) => !old?.reached.has(digest));
      const keep = new Set([...blobs, ...needed, ...foreign]);
      for (const [digest, { descriptor, open }] of old?.blobs ?? []) {
        // An archive can be large.
        const range = async () => tapped(await open(), () => signal?.throwIfAborted());
        if (keep.has(digest) && !writer.has(digest)) await writer.putBlob(descriptor, range).catch(damaged);
      }
      const index = old?.index;
      await writer.finish(keep, [...layoutSmallFiles(raws, entries, index), ...files]);
    },
    async [Symbol.asyncDispose]() {
      await opening?.catch(() => undefined);
      await writer[Symbol.asyncDispose]();
      await old?.[Symbol.asyncDispose]();
      await lock?.[Symbol.asyncDispose]();
    },
  };
}

/** Where the directory is not there, or the target is a device, writing says what is to be said. */
async function canBeLocked(path: string): Promise<boolean> {
  if (path === '-' || (await translatingFsErrors(path, () => targetAt(path))) !== 'file') return false;
  return await stat(dirname(path)).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

function digestsOf(entries: readonly unknown[]): readonly Digest[] {
  return entries.map((entry) => (entry as Descriptor).digest);
}
