// What builds remember about their steps: small objects that can be recomputed.
import { isImagesError } from '../../oci/errors.ts';
import { buildStepKey } from '../layout/store-keys.ts';

import type { Objects } from '../objects.ts';

export interface BuildSteps {
  get(key: string): Promise<Uint8Array | undefined>;
  put(key: string, value: Uint8Array): Promise<void>;
}

export function buildSteps(objects: Objects): BuildSteps {
  return {
    get: (key) => objects.get(buildStepKey(key)),
    put: async (key, value) => {
      try {
        await objects.put(buildStepKey(key), value, { volatile: true });
      } catch (error) {
        // Best effort: remembering only saves work the next time.
        if (!isImagesError(error, 'NO_ACCESS', 'READ_ONLY', 'NO_SPACE')) throw error;
      }
    },
  };
}
