// Blobs that are in no repository: layers and configs of images that were built here. They cannot be pulled before they are uploaded.
import { randomUUID } from 'node:crypto';
import type { Bytes, CallOptions, OpenContent } from '../io/streams/bytes.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';
import { publishUnsynced, wholeBlob } from './blob-trust.ts';
import { fillStage } from './fill-stage.ts';
import { blobKey, blobStageId } from './layout.ts';
import type { ObjectStore } from './object-store.ts';
import { openBlob } from './stored-blobs.ts';

export interface LooseBlobs {
  /** Whether the blob is there and whole. Also spares it from garbage collection for a while. */
  has(blob: Pick<Descriptor, 'digest' | 'size'>): Promise<boolean>;
  /** The stream verifies itself, unless the reader does (`unverified`). Errors: BLOB_UNKNOWN; DIGEST_INVALID, SIZE_INVALID before its end. */
  read(blob: Pick<Descriptor, 'digest' | 'size'>, options?: { readonly unverified?: boolean }): Promise<Bytes>;
  /** Does not call `open` if the blob is there. Errors: DIGEST_INVALID, SIZE_INVALID, NO_SPACE, READ_ONLY. */
  put(blob: Descriptor, open: OpenContent, options?: CallOptions): Promise<void>;
  /** Starts a blob whose digest is known only at its end. */
  start(): Promise<StartedBlob>;
}

/** Disposed without `finish`, it leaves nothing behind. */
export interface StartedBlob extends AsyncDisposable {
  /** Takes ownership of the chunk. */
  append(chunk: Uint8Array): Promise<void>;
  /** `digest` is what the caller has computed over the bytes. */
  finish(digest: Digest): Promise<void>;
}

/** Never waits for the disk. */
export function looseBlobs(objects: ObjectStore): LooseBlobs {
  const has: LooseBlobs['has'] = async ({ digest, size }) => {
    if ((await wholeBlob(objects, digest))?.size !== size) return false;
    await objects.touch(blobKey(digest));
    return true;
  };
  return {
    has,
    read: async (blob, { unverified = false } = {}) => {
      const body = await openBlob(objects, blob, { verify: !unverified });
      if (body) return body;
      throw new ImagesError('BLOB_UNKNOWN', `no such blob in the store [${blob.digest}]`, {
        hint: 'It was collected as garbage: build the image again with --no-cache.',
      });
    },
    put: async (blob, open, options = {}) => {
      if (await has(blob)) return;
      await using stage = await objects.stage(blobStageId(blob.digest), options);
      if (!stage) throw new Error('a stage that need not exist was not opened');
      if (await has(blob)) return await stage.discard();
      await fillStage(stage, blob, open);
      await publishUnsynced(objects, stage, blob.digest);
    },
    start: async () => {
      const stage = await objects.stage(`build-${randomUUID()}`);
      if (!stage) throw new Error('a stage that need not exist was not opened');
      return {
        append: (chunk) => stage.append(chunk),
        finish: (digest) => publishUnsynced(objects, stage, digest),
        [Symbol.asyncDispose]: () => stage.discard(),
      };
    },
  };
}
