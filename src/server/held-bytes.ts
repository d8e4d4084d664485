// The memory that answers and manifests take while their clients are slow, in all and of one client: who comes when it is used up is asked to come again.
// What has come counts, never what a client says that it is going to send.
import { ImagesError } from '../oci/errors.ts';
import { createClientCounts } from './client-counts.ts';
import type { ServerLimits } from './limits.ts';

export interface HeldBytes {
  /** For one answer or one manifest of this client. */
  open(client: string): Hold;
}

/** Counts until disposed. */
export interface Hold extends Disposable {
  /** So many bytes more. Errors: TOOMANYREQUESTS; they do not count then. */
  add(bytes: number): void;
}

/** As many connections as there may be hold no more than this each, without being counted. */
const SMALL = 64 * 1024;

export function createHeldBytes({
  heldBytes,
  heldBytesPerClient,
}: Pick<ServerLimits, 'heldBytes' | 'heldBytesPerClient'>): HeldBytes {
  const perClient = createClientCounts();
  let held = 0;
  /** One alone may be larger than all that is allowed. */
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
