// Blobs of the store that no repository has: layers and configs of images that were built here. Nobody can pull them before they are uploaded.
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
  /** Whole, and now spared from garbage collection for a while. */
  has(blob: Pick<Descriptor, 'digest' | 'size'>): Promise<boolean>;
  /** It verifies itself, unless who reads it does so. Errors: BLOB_UNKNOWN; DIGEST_INVALID, SIZE_INVALID before its end. */
  read(blob: Pick<Descriptor, 'digest' | 'size'>, options?: { readonly unverified?: boolean }): Promise<Bytes>;
  /** `open` is not called where the blob is there. Errors: DIGEST_INVALID, SIZE_INVALID, NO_SPACE, READ_ONLY. */
  put(blob: Descriptor, open: OpenContent, options?: CallOptions): Promise<void>;
  /** A blob whose digest is known only at its end. */
  start(): Promise<StartedBlob>;
}

/** Disposing without `finish` leaves nothing. */
export interface StartedBlob extends AsyncDisposable {
  /** Takes the chunk over. */
  append(chunk: Uint8Array): Promise<void>;
  /** `digest` is what the caller has worked out of the bytes. */
  finish(digest: Digest): Promise<void>;
}

/** Nothing waits for the disk. */
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
