// Blobs over objects and stages. The content of a blob has one key (layout/), and the time of its last use is that object's own time.
import { randomUUID } from 'node:crypto';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { type Blobs, type BlobWriteOptions, type StoredBlob, USE_STEP_MS } from '../blobs.ts';
import { blobKey } from '../layout/registry-keys.ts';
import { blobStageId } from '../layout/store-keys.ts';
import type { ObjectStore, Stage } from '../object-store/object-store.ts';
import { readObject } from '../object-store/read-object.ts';
import type { ObjectInfo } from '../objects.ts';
import { doubtBlob, removeMark } from './blob-marks.ts';
import { openSession } from './blob-sessions.ts';
import { damagedBlobs, durableBlob, keptBlob, readVerified, wholeBlob } from './blob-trust.ts';
import { recordUse } from './blob-uses.ts';
import { fillStage } from './fill-stage.ts';
import { publishBlob, publishUnsynced } from './publish-blob.ts';
import { putAllBack, putBack } from './put-back.ts';
import { checkBlob } from './settle-blob.ts';

const LOOKS = 3;

export interface StagedBlobsOptions {
  /** The clock by which blobs grow old: that of the objects. */
  readonly now?: () => Date;
}

export function stagedBlobs(objects: ObjectStore, { now = () => new Date() }: StagedBlobsOptions = {}): Blobs {
  /**
   * What `look` finds, also if a collector has just put the blob aside, or is moving it back: for a moment, the blob may be seen neither under its key nor aside.
   * Each look can be in vain because of one collector; `LOOKS` collectors at the same moment would be needed to hide a blob.
   */
  async function found<T>(digest: Digest, look: () => Promise<T | undefined>): Promise<T | undefined> {
    for (let looks = 1; looks < LOOKS; looks++) {
      const result = await look();
      if (result !== undefined) return result;
      await putBack(objects, digest);
    }
    return await look();
  }

  const isRecorded = ({ modified }: ObjectInfo) => now().getTime() - modified.getTime() < USE_STEP_MS;

  const use: Blobs['use'] = async (digest, { durable = false } = {}) => {
    const look = () => (durable ? durableBlob : wholeBlob)(objects, digest);
    for (;;) {
      const info = await found(digest, look);
      if (!info || isRecorded(info)) return info && blobFrom(digest, info);
      // A blob that was put aside in between comes back with its old time, so its use is recorded once more. Another round needs another collector.
      if (!(await recordUse(objects, digest, durable))) continue;
      // Looks after the use was recorded: a collector may have been faster.
      const used = await found(digest, look);
      return used && blobFrom(digest, used);
    }
  };

  async function publishBuilt(stage: Stage, digest: Digest): Promise<void> {
    // A durable blob that is put aside must not give way to one that is not.
    await found(digest, () => objects.stat(blobKey(digest)));
    const recorded = async (info: ObjectInfo) => isRecorded(info) || recordUse(objects, digest, false);
    await publishUnsynced(objects, stage, digest, recorded);
  }

  const isThere = async ({ digest, size }: Descriptor, durable: boolean) =>
    (await use(digest, { durable }))?.size === size;

  async function write(
    blob: Descriptor,
    open: Parameters<Blobs['write']>[1],
    options: BlobWriteOptions = {},
  ): Promise<void> {
    const { durable = true } = options;
    if (await isThere(blob, durable)) return;
    await using stage = await objects.stage(blobStageId(blob.digest), options);
    if (!stage) throw new Error('a stage that need not exist was not opened');
    // The previous owner of the stage may have published the blob.
    if (await isThere(blob, durable)) return await stage.discard();
    if (options.anew && stage.size > 0) await stage.truncate(0);
    await fillStage(stage, blob, open, options.onGrowing);
    await options.beforeDisk?.();
    await (durable ? publishBlob(objects, stage, blob.digest) : publishBuilt(stage, blob.digest));
  }

  return {
    find: async (digest) => {
      const info = await found(digest, () => wholeBlob(objects, digest));
      return info && blobFrom(digest, info);
    },
    ...(objects.kept && { kept: (digest) => keptBlob(objects, digest) }),
    use,
    read: (digest, range) => found(digest, () => objects.get(blobKey(digest), range)),
    readVerified: (blob) => found(blob.digest, () => readVerified(objects, blob)),
    write,
    put: async (digest, bytes, refer) => {
      const key = blobKey(digest);
      const stored = await readObject(objects, key);
      const isNew = !stored || Buffer.compare(stored, bytes) !== 0 || !(await use(digest));
      if (isNew) await objects.put(key, bytes);
      const written = await refer();
      // A put has its bytes on disk before they are visible.
      await Promise.all([objects.sync([key], { namesOnly: isNew }), objects.sync(written)]);
      await removeMark(objects, digest);
    },
    partial: async (digest) => (await wholeBlob(objects, digest))?.size ?? objects.staged(blobStageId(digest)),
    start: async () => {
      const stage = await objects.stage(`build-${randomUUID()}`);
      if (!stage) throw new Error('a stage that need not exist was not opened');
      return {
        append: (chunk) => stage.append(chunk),
        finish: (digest) => publishBuilt(stage, digest),
        [Symbol.asyncDispose]: () => stage.discard(),
      };
    },
    session: openSession(objects),
    sweep: (limits) => objects.sweep(limits),
    capacity: () => objects.capacity(),
    doubt: (digest) => doubtBlob(objects, digest),
    damaged: () => damagedBlobs(objects),
    check: (digest, pace) => checkBlob(objects, digest, pace),
    all: async function* (after) {
      await putAllBack(objects);
      const { allBlobs } = await import('./all-blobs.ts');
      for await (const [digest, info] of allBlobs(objects, now(), after)) yield blobFrom(digest, info);
    },
    collect: async (seen, options = {}) =>
      await (await import('./collect-blobs.ts')).collectBlobs(objects, seen, { ...options, now }),
  };
}

export function blobFrom(digest: Digest, { size, modified, version }: ObjectInfo): StoredBlob {
  return { digest, size, used: modified, version };
}
