// The health of the embedded registry: its store is the one that it was started with, is readable, and accepts pushes.
import { ImagesError } from '../../oci/errors.ts';
import type { HealthChecks } from '../../server/health.ts';
import { storeHealth } from '../../storage/store-health.ts';
import type { RegistryState } from './registry-record.ts';
import { isAnnounced } from './registry-state.ts';

/** `announced` returns the record in the store's directory, once it has been written. A read-only store has none, and accepts no pushes in good health. */
export function servingHealth(
  data: string,
  announced: () => RegistryState | undefined,
  { isReadOnly = false }: { readonly isReadOnly?: boolean } = {},
): HealthChecks {
  const store = storeHealth(data);
  if (isReadOnly) return { canRead: () => store.canRead(), canWrite: async () => {} };
  return {
    canRead: async () => {
      const state = announced();
      // If the directory was removed or unmounted, the first push would recreate it. Its content would be hidden when the real directory comes back.
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
