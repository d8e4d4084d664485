// Whether the embedded registry can do its work: its store is the one that it was started with, can be read, and takes what is pushed.
import { ImagesError } from '../../oci/errors.ts';
import type { HealthChecks } from '../../server/health.ts';
import { storeHealth } from '../../storage/store-health.ts';
import type { RegistryState } from './registry-record.ts';
import { isAnnounced } from './registry-state.ts';

/** `announced`: what was written into the store's directory, once it was. */
export function servingHealth(data: string, announced: () => RegistryState | undefined): HealthChecks {
  const store = storeHealth(data);
  return {
    canRead: async () => {
      const state = announced();
      // A directory that was removed, or unmounted, is made again by the first push: what goes there is nowhere when the real one is back.
      if (state && !(await isAnnounced(state))) {
        throw new ImagesError('NO_ACCESS', `the store is not there any more [${data}]`, {
          hint: 'Bring the directory back, or stop this registry: no other command finds it.',
        });
      }
      await store.canRead();
    },
    canWrite: () => store.canWrite(),
  };
}
