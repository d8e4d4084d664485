// Layer indexes, stored beside the blobs: small objects that can be recomputed.
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { layerIndexKey } from '../layout/store-keys.ts';

import type { Objects } from '../objects.ts';

export interface StoredIndex {
  load(): Promise<Uint8Array | undefined>;
  save(bytes: Uint8Array): Promise<void>;
}

/** The index of the layer whose blob has this digest. */
export function storedIndex(objects: Objects, digest: Digest): StoredIndex {
  const key = layerIndexKey(digest);
  return {
    load: () => objects.get(key),
    save: async (bytes) => {
      try {
        await objects.put(key, bytes);
      } catch (error) {
        // Best effort: it only saves work the next time.
        if (!isImagesError(error, 'NO_ACCESS', 'READ_ONLY', 'NO_SPACE')) throw error;
      }
    },
  };
}
