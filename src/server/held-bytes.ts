// Limits the memory for answers and manifests of slow clients, in total and for each client. Beyond the limit a client is asked to retry later.
// Bytes count when they have been received, not when they are announced.
import { ImagesError } from '../oci/errors.ts';
import { createClientCounts } from './client-counts.ts';
import type { ServerLimits } from './limits.ts';

export interface HeldBytes {
  /** Starts counting for one answer or one manifest of this client. */
  open(client: string): Hold;
}

/** Counts until it is disposed. */
export interface Hold extends Disposable {
  /** Adds bytes. Errors: TOOMANYREQUESTS; the bytes are not counted then. */
  add(bytes: number): void;
}

/** In bytes. Up to this size for each connection nothing is counted. */
const SMALL = 64 * 1024;

export function createHeldBytes({
  heldBytes,
  heldBytesPerClient,
}: Pick<ServerLimits, 'heldBytes' | 'heldBytesPerClient'>): HeldBytes {
  const perClient = createClientCounts();
  let held = 0;
  /** A single one may be larger than the limit if it is alone. */
  const isTooMuch = (others: number, own: number, limit: number) => others > 0 && others + own > limit;

  return {
    open: (client) => {
      let size = 0;
      let counted = 0;
      const count = (bytes: number) => {
        held += bytes;
        counted += bytes;
        perClient.change(client, bytes);
      };
      return {
        add: (bytes) => {
          const own = size + bytes;
          if (own > SMALL) {
            const isFull = isTooMuch(held - counted, own, heldBytes);
            if (isFull || isTooMuch(perClient.of(client) - counted, own, heldBytesPerClient)) {
              throw new ImagesError(
                'TOOMANYREQUESTS',
                'too many large manifests and lists are on their way: try again',
              );
            }
            count(own - counted);
          }
          size = own;
        },
        [Symbol.dispose]: () => count(-counted),
      };
    },
  };
}
