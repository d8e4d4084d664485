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
      await checkThere(data, announced());
      await store.canRead();
    },
    canWrite: () => store.canWrite(),
  };
}

/** In milliseconds: how often a store that is written to is looked for. */
const LOOK_MS = 250;

/**
 * For each write: if the directory was removed or unmounted, the first one would make it anew. What was acknowledged then would be hidden when the real directory
 * comes back. Errors: NO_ACCESS.
 */
export function stillThere(data: string, announced: () => RegistryState | undefined): () => Promise<void> {
  let seenAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (Math.abs(performance.now() - seenAt) < LOOK_MS) return;
    await checkThere(data, announced());
    seenAt = performance.now();
  };
}

async function checkThere(data: string, state: RegistryState | undefined): Promise<void> {
  if (!state || (await isAnnounced(state))) return;
  throw new ImagesError('NO_ACCESS', `the store is not there any more [${data}]`, {
    hint: 'Bring the directory back, or stop this registry: no other command finds it.',
  });
}
