// Blobs and manifests as files in a directory, each under a key made from its digest: staged, verified, renamed. Layouts and `dir:` share it. Several processes
// may write at once. Relies on the object store on the file system.
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createLimiter } from '../io/concurrency/limiter.ts';
import { isFsError } from '../io/files/fs-errors.ts';
import type { CallOptions, OpenContent } from '../io/streams/bytes.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digestOf } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';
import { decodeManifest, type RawManifest, rawManifest, successors } from '../oci/manifest.ts';
import { fillStage } from '../storage/drivers/fill-stage.ts';
import { blobStageId } from '../storage/layout/store-keys.ts';
import { openFsObjectStore } from '../storage/object-store/fs-object-store.ts';
import { rightBlobs } from './right-blobs.ts';
import { blobNotPut } from './wrong-parts.ts';

export interface BlobFolder {
  missing(blobs: readonly Descriptor[], options?: CallOptions): Promise<ReadonlyMap<Digest, number>>;
  missingManifests(manifests: readonly Descriptor[], options?: CallOptions): Promise<ReadonlySet<Digest>>;
  /** Whether the blob is there and its bytes are correct. */
  has(blob: Descriptor, options?: CallOptions): Promise<boolean>;
  putBlob(blob: Descriptor, open: OpenContent, options?: CallOptions): Promise<void>;
  /** Called after all blobs that the manifest names. Errors: MANIFEST_BLOB_UNKNOWN. */
  putManifest(manifest: RawManifest): Promise<void>;
  /** Replaces the file atomically. */
  putFile(path: string, bytes: Uint8Array): Promise<void>;
  read(path: string): Promise<Uint8Array | undefined>;
  /** Returns `undefined` also if the content does not match the digest. */
  readManifest(manifest: Descriptor): Promise<RawManifest | undefined>;
  /** Removes what old, failed attempts left, and the staging folder if it is empty. */
  tidy(): Promise<void>;
}

export interface BlobFolderOptions {
  readonly directory: string;
  blobKey(digest: Digest): string;
  manifestKey(digest: Digest): string;
}

/** The staging folder. It is hidden, so that programs that read all files skip it. */
const WAITING = '.images';
/** The age at which a partial blob is removed. */
const KEEP_PARTS_MS = 7 * 24 * 3_600_000;
const QUESTIONS = 16;

/** Errors of methods that write: LOCATION_INVALID (the directory is a file), NO_SPACE, READ_ONLY, NO_ACCESS. */
export function blobFolder({ directory, blobKey, manifestKey }: BlobFolderOptions): BlobFolder {
  // Does not sync, like other tools that write these directories. A file that a power cut truncated or damaged is found when it is hashed, and is written
  // again.
  const objects = openFsObjectStore(directory, { waiting: WAITING, volatile: true });
  const { has, lacking, wrote } = rightBlobs(objects, blobKey);
  const ask = createLimiter(QUESTIONS);

  async function read(path: string): Promise<Uint8Array | undefined> {
    const body = await objects.get(path);
    return body && Buffer.concat(await Array.fromAsync(body));
  }

  async function readManifest({ mediaType, digest, size }: Descriptor): Promise<RawManifest | undefined> {
    if ((await objects.stat(manifestKey(digest)))?.size !== size) return undefined;
    const bytes = await read(manifestKey(digest));
    if (!bytes || digestOf(bytes, digestAlgorithm(digest)) !== digest) return undefined;
    return rawManifest(bytes, mediaType || undefined, digestAlgorithm(digest));
  }

  /** A manifest counts as present only if all of its blobs are; else it is put again. */
  async function isWhole(manifest: Descriptor, options: CallOptions): Promise<boolean> {
    const raw = await readManifest(manifest);
    return raw !== undefined && (await lacking(successors(decodeManifest(raw)).blobs, options)).length === 0;
  }

  async function putFile(path: string, bytes: Uint8Array): Promise<void> {
    await writingTo(directory, () => objects.put(path, bytes));
    await objects.sync([path]);
  }

  return {
    has,
    read,
    readManifest,
    putFile,
    async missing(blobs, options) {
      const absent = await lacking(blobs, options);
      const held = await ask.map(absent, (blob) => objects.staged(blobStageId(blob.digest)));
      return new Map(absent.map((blob, at) => [blob.digest, Math.min(held[at] ?? 0, blob.size)]));
    },
    async missingManifests(manifests, options = {}) {
      const whole = await Promise.all(manifests.map((manifest) => isWhole(manifest, options)));
      return new Set(manifests.filter((_, at) => !whole[at]).map(({ digest }) => digest));
    },
    async putBlob(blob, open, options) {
      if (await has(blob, options)) return;
      await using stage = await writingTo(directory, () => objects.stage(blobStageId(blob.digest), options));
      if (!stage) throw new Error('a stage that need not exist was not opened');
      // The previous owner of the stage may just have published the blob.
      if (await has(blob, options)) {
        await stage.discard();
        return;
      }
      await fillStage(stage, blob, open);
      await stage.publish(blobKey(blob.digest));
      await wrote(blob.digest);
    },
    async putManifest(manifest) {
      const [absent] = await lacking(successors(decodeManifest(manifest)).blobs);
      if (absent) throw blobNotPut(absent.digest);
      await putFile(manifestKey(manifest.digest), manifest.bytes);
    },
    async tidy() {
      await objects.sweep({ before: new Date(Date.now() - KEEP_PARTS_MS) });
      // A store keeps these folders for what comes next; here nothing does.
      const folders = await readdir(join(directory, WAITING, 'stage')).catch(() => []);
      for (const path of [...folders.map((name) => `stage/${name}`), 'stage', 'tmp', '.'])
        await removeIfEmpty(join(directory, WAITING, path));
    },
  };
}

async function writingTo<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isFsError(error, 'ENOTDIR')) throw error;
    throw new ImagesError('LOCATION_INVALID', `not a directory [${directory}]`, {
      hint: 'Name a directory; a file is oci-archive:FILE or docker-archive:FILE.',
      cause: error,
    });
  }
}

async function removeIfEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory);
  } catch (error) {
    if (!isFsError(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'EROFS', 'EACCES', 'EPERM', 'ENOTDIR')) throw error;
  }
}
