// Blobs and manifests in a directory of files, each under a key that its digest gives: staged, verified, synced, renamed. Several processes may
// write at once. What layouts and `dir:` share. Relies on the object store on the file system.
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isFsError } from '../io/fs-errors.ts';
import { createLimiter } from '../io/limiter.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';
import { decodeManifest, type RawManifest, rawManifest, successors } from '../oci/manifest.ts';
import type { CallOptions, OpenContent } from '../registry/contract.ts';
import { fillStage } from '../storage/fill-stage.ts';
import { openFsObjectStore } from '../storage/fs-object-store.ts';
import { blobStageId } from '../storage/layout.ts';
import { blobNotPut } from './wrong-parts.ts';

export interface BlobFolder {
  missing(blobs: readonly Descriptor[]): Promise<ReadonlyMap<Digest, number>>;
  missingManifests(manifests: readonly Descriptor[]): Promise<ReadonlySet<Digest>>;
  has(blob: Descriptor): Promise<boolean>;
  putBlob(blob: Descriptor, open: OpenContent, options?: CallOptions): Promise<void>;
  /** After all blobs it names. Errors: MANIFEST_BLOB_UNKNOWN. */
  putManifest(manifest: RawManifest): Promise<void>;
  /** Replaced in one step. */
  putFile(path: string, bytes: Uint8Array): Promise<void>;
  read(path: string): Promise<Uint8Array | undefined>;
  /** Removes what old, broken attempts left, and the folder for it where nothing is on its way in. */
  tidy(): Promise<void>;
}

export interface BlobFolderOptions {
  readonly directory: string;
  blobKey(digest: Digest): string;
  manifestKey(digest: Digest): string;
}

/** Hidden, so that programs that look at all files pass over it. */
const WAITING = '.images';
/** Parts of blobs that nobody has gone on with. */
const KEEP_PARTS_MS = 7 * 24 * 3_600_000;
const QUESTIONS = 16;

/** Errors of what writes: PLACE_INVALID (the directory is a file), NO_SPACE, READ_ONLY, NO_ACCESS. */
export function blobFolder({ directory, blobKey, manifestKey }: BlobFolderOptions): BlobFolder {
  // As the tools that share these places have it: none of them waits for the disk. What a power cut empties has another size, and is put again.
  const objects = openFsObjectStore(directory, { waiting: WAITING, volatile: true });
  const ask = createLimiter(QUESTIONS);

  const has = async (blob: Descriptor): Promise<boolean> =>
    (await objects.stat(blobKey(blob.digest)))?.size === blob.size;

  const lacking = async (blobs: readonly Descriptor[]): Promise<readonly Descriptor[]> => {
    const there = await ask.map(blobs, has);
    return blobs.filter((_, at) => !there[at]);
  };

  const read = async (path: string): Promise<Uint8Array | undefined> => {
    const body = await objects.get(path);
    return body && Buffer.concat(await Array.fromAsync(body));
  };

  /** One whose blobs are not all there is put again. */
  const isWhole = async ({ mediaType, digest, size }: Descriptor): Promise<boolean> => {
    if ((await objects.stat(manifestKey(digest)))?.size !== size) return false;
    const bytes = await read(manifestKey(digest));
    if (!bytes) return false;
    const { blobs } = successors(decodeManifest(rawManifest(bytes, mediaType)));
    return (await lacking(blobs)).length === 0;
  };

  const writing = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!isFsError(error, 'ENOTDIR')) throw error;
      throw new ImagesError('PLACE_INVALID', `it is no directory [${directory}]`, {
        hint: 'Name a directory; a file is oci-archive:FILE or docker-archive:FILE.',
        cause: error,
      });
    }
  };

  return {
    has,
    read,
    async missing(blobs) {
      const absent = await lacking(blobs);
      const held = await ask.map(absent, (blob) => objects.staged(blobStageId(blob.digest)));
      return new Map(absent.map((blob, at) => [blob.digest, Math.min(held[at] ?? 0, blob.size)]));
    },
    async missingManifests(manifests) {
      const whole = await Promise.all(manifests.map(isWhole));
      return new Set(manifests.filter((_, at) => !whole[at]).map(({ digest }) => digest));
    },
    async putBlob(blob, open, options) {
      if (await has(blob)) return;
      await using stage = await writing(() => objects.stage(blobStageId(blob.digest), options));
      if (!stage) throw new Error('a stage that need not exist was not opened');
      // Whoever had the stage before us may just have published the blob.
      if (await has(blob)) {
        await stage.discard();
        return;
      }
      await fillStage(stage, blob, open);
      await stage.publish(blobKey(blob.digest));
    },
    async putManifest(manifest) {
      const [absent] = await lacking(successors(decodeManifest(manifest)).blobs);
      if (absent) throw blobNotPut(absent.digest);
      await writing(() => objects.put(manifestKey(manifest.digest), manifest.bytes));
      await objects.sync([manifestKey(manifest.digest)]);
    },
    async putFile(path, bytes) {
      await writing(() => objects.put(path, bytes));
      await objects.sync([path]);
    },
    async tidy() {
      await objects.sweep({ before: new Date(Date.now() - KEEP_PARTS_MS) });
      for (const path of ['stage', 'tmp', '.']) await removeIfEmpty(join(directory, WAITING, path));
    },
  };
}

async function removeIfEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory);
  } catch (error) {
    if (!isFsError(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'EROFS', 'EACCES', 'EPERM', 'ENOTDIR')) throw error;
  }
}
