// Blobs over objects and stages. The content of a blob has one key (layout.ts), and the time of its last use is that object's own time.
import { randomUUID } from 'node:crypto';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { type Blobs, type BlobWriteOptions, type StoredBlob, USE_STEP_MS } from '../blobs.ts';
import { BLOBS, blobKey, blobStageId, parseBlobKey } from '../layout.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { readObject } from '../object-store/read-object.ts';
import type { ObjectInfo } from '../objects.ts';
import { openSession } from './blob-sessions.ts';
import {
  damagedBlobs,
  doubtBlob,
  durableBlob,
  publishBlob,
  publishUnsynced,
  readVerified,
  removeMark,
  wholeBlob,
} from './blob-trust.ts';
import { recordUse } from './blob-uses.ts';
import { collectBlobs, putBack } from './collect-blobs.ts';
import { fillStage } from './fill-stage.ts';

export function stagedBlobs(objects: ObjectStore): Blobs {
  /** What `look` finds, also if a collector has just put the blob aside. */
  async function found(digest: Digest, look: typeof wholeBlob): Promise<ObjectInfo | undefined> {
    const info = await look(objects, digest);
    return info ?? ((await putBack(objects, digest)) ? await look(objects, digest) : undefined);
  }

  const use: Blobs['use'] = async (digest, { durable = false } = {}) => {
    const look = durable ? durableBlob : wholeBlob;
    const info = await found(digest, look);
    if (!info || Date.now() - info.modified.getTime() < USE_STEP_MS) return info && blobFrom(digest, info);
    await recordUse(objects, digest, durable);
    // Looks after the use was recorded: a collector may have been faster.
    const now = await found(digest, look);
    return now && blobFrom(digest, now);
  };

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
    await fillStage(stage, blob, open);
    await (durable ? publishBlob : publishUnsynced)(objects, stage, blob.digest);
  }

  return {
    find: async (digest) => {
      const info = await found(digest, wholeBlob);
      return info && blobFrom(digest, info);
    },
    use,
    read: (digest, range) => objects.get(blobKey(digest), range),
    readVerified: (blob) => readVerified(objects, blob),
    write,
    put: async (digest, bytes, refer) => {
      const key = blobKey(digest);
      const stored = await readObject(objects, key);
      if (!stored || Buffer.compare(stored, bytes) !== 0 || !(await use(digest))) await objects.put(key, bytes);
      await objects.sync([key, ...(await refer())]);
      await removeMark(objects, digest);
    },
    partial: async (digest) => (await wholeBlob(objects, digest))?.size ?? objects.staged(blobStageId(digest)),
    start: async () => {
      const stage = await objects.stage(`build-${randomUUID()}`);
      if (!stage) throw new Error('a stage that need not exist was not opened');
      return {
        append: (chunk) => stage.append(chunk),
        finish: (digest) => publishUnsynced(objects, stage, digest),
        [Symbol.asyncDispose]: () => stage.discard(),
      };
    },
    session: openSession(objects),
    sweep: (limits) => objects.sweep(limits),
    capacity: () => objects.capacity(),
    doubt: (digest) => doubtBlob(objects, digest),
    damaged: () => damagedBlobs(objects),
    all: async function* () {
      for await (const info of objects.list(BLOBS)) {
        const digest = parseBlobKey(info.key);
        if (digest !== undefined) yield blobFrom(digest, info);
      }
    },
    collect: (seen) => collectBlobs(objects, seen),
  };
}

export function blobFrom(digest: Digest, { size, modified, version }: ObjectInfo): StoredBlob {
  return { digest, size, used: modified, version };
}
