// Adds images to an archive, which keeps those that it has. A new archive is written beside the old one and replaces it when it is complete.
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { translatingFsErrors } from '../../io/files/fs-errors.ts';
import { acquireLock, type Lock } from '../../io/files/lock.ts';
import { targetAt } from '../../io/files/special-file.ts';
import type { CallOptions, OpenContent } from '../../io/streams/bytes.ts';
import { stoppable } from '../../io/streams/stoppable.ts';
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
  /** The old archive is replaced without being read. */
  readonly replaces?: boolean;
  /** Files beside the layout. `required` are those of them that an existing archive must have. */
  readonly beside?: readonly string[];
  readonly required?: readonly string[];
}

export interface GrowingArchive extends AsyncDisposable {
  readonly manifests: MemoryManifests;
  /** The old archive. It is read once, under a lock: no other process writes the archive afterwards. */
  kept(call?: CallOptions): Promise<KeptArchive | undefined>;
  has(digest: Digest): boolean;
  /** Announces blobs. */
  expect(blobs: readonly Descriptor[]): void;
  putBlob(blob: Descriptor, open: OpenContent, call?: CallOptions): Promise<void>;
  /**
   * Writes the archive with these entries, the blobs that they need, and those parts of the old archive that are not understood. Errors: LOCATION_INVALID if the
   * old archive is damaged.
   */
  finish(entries: readonly unknown[], more?: FinishOptions): Promise<void>;
}

export interface FinishOptions extends CallOptions {
  /** Blobs that are needed in addition to those of the entries. */
  readonly needed?: readonly Digest[];
  readonly files?: readonly SmallFile[];
}

/** `hasToo` tells which blobs are elsewhere until they are put at the end. */
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
    // Old blobs get their positions together with new ones: the order in an archive depends only on its content.
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
        // An archive can be large, so an abort is noticed while a range is copied.
        const range = async () => stoppable(await open(), signal);
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

/** If the directory does not exist or the target is a device, nothing is locked: writing reports the error. */
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
