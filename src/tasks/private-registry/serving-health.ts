// The health of the embedded registry: its store is the one that it was started with, is readable, and accepts pushes; its clock and its certificate are good.
import type { TlsContexts } from '../../certificates/contract.ts';
import { validityOf } from '../../certificates/validity.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { HealthChecks } from '../../server/health.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import { storeHealth } from '../../storage/store-health.ts';
import { clockCheck } from './clock-health.ts';
import type { RegistryState } from './registry-record.ts';
import { isAnnounced } from './registry-state.ts';

export interface ServingHealthOptions {
  readonly isReadOnly?: boolean;
  /** The store, for the clock and the quota. */
  readonly store?: Pick<EmbeddedStore, 'objects' | 'space'>;
  /** In bytes; `undefined` while there is no limit. */
  readonly quota?: () => number | undefined;
  readonly certificates?: Pick<TlsContexts, 'current'> | undefined;
}

/** `announced` returns the record in the store's directory, once it has been written. A read-only store has none, and accepts no pushes in good health. */
export function servingHealth(
  data: string,
  announced: () => RegistryState | undefined,
  options: ServingHealthOptions = {},
): HealthChecks {
  const { isReadOnly = false, store, quota = () => undefined, certificates } = options;
  const files = storeHealth(data);
  const more = {
    ...(store?.space && !isReadOnly && { quota: quotaCheck(store.space, quota) }),
    ...(store && { clock: clockCheck(store.objects) }),
    ...(certificates && { certificate: certificateCheck(certificates) }),
  };
  if (isReadOnly) return { canRead: () => files.canRead(), canWrite: async () => {}, more };
  return {
    canRead: async () => {
      await checkThere(data, announced());
      await files.canRead();
    },
    canWrite: () => files.canWrite(),
    more,
  };
}

/** In bytes: what a push of the smallest image needs. */
const LEAST_ROOM = 64 * 1024;

/** By what is known of the space: nothing is counted for it. */
function quotaCheck(space: NonNullable<EmbeddedStore['space']>, limit: () => number | undefined): () => Promise<void> {
  return async () => {
    const most = limit();
    if (most === undefined || (space.known ?? 0) + LEAST_ROOM <= most) return;
    throw new ImagesError('NO_SPACE', 'the limit on what may be stored is reached', { isPublic: true });
  };
}

function certificateCheck(certificates: Pick<TlsContexts, 'current'>): () => Promise<void> {
  const validity = currentValidity(certificates);
  return async () => {
    const { notBefore, expires } = validity();
    const now = Date.now();
    const wrong = (what: string) => new ImagesError('CONFIG_INVALID', `the certificate ${what}`, { isPublic: true });
    if (expires.getTime() <= now) throw wrong('has expired');
    if (notBefore.getTime() > now) throw wrong('is not valid yet');
  };
}

/** Of the certificate as it is now; it is parsed once. */
export function currentValidity(certificates: Pick<TlsContexts, 'current'>): () => ReturnType<typeof validityOf> {
  let parsed: string | undefined;
  let validity: ReturnType<typeof validityOf> | undefined;
  return () => {
    const { certificate } = certificates.current();
    if (certificate !== parsed || !validity) validity = validityOf(certificate);
    parsed = certificate;
    return validity;
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
