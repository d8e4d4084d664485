// Blobs that are in no repository: layers and configs of images that were built here. They cannot be pulled before they are uploaded.
import type { Bytes, CallOptions, OpenContent } from '../../io/streams/bytes.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { Blobs, StartedBlob } from '../blobs.ts';
import { openBlob } from '../repositories/stored-blobs.ts';

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

/** Never waits for the disk. */
export function looseBlobs(blobs: Blobs): LooseBlobs {
  const has: LooseBlobs['has'] = async ({ digest, size }) => (await blobs.use(digest))?.size === size;
  return {
    has,
    read: async (blob, { unverified = false } = {}) => {
      const found = await blobs.find(blob.digest);
      const body = found && (await openBlob(blobs, { ...found, size: blob.size }, { verify: !unverified }));
      if (body) return body;
      throw new ImagesError('BLOB_UNKNOWN', `no such blob in the store [${blob.digest}]`, {
        hint: 'It is damaged, or was collected as garbage: build the image again with --no-cache.',
      });
    },
    put: (blob, open, call) => blobs.write(blob, open, { durable: false, ...call }),
    start: blobs.start,
  };
}
