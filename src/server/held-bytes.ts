// The memory that answers and manifests take while their clients are slow, in all: who comes when it is used up is asked to come again.
import { ImagesError } from '../oci/errors.ts';

export interface HeldBytes {
  /** Counts so many bytes until disposed; small ones are free. Errors: TOOMANYREQUESTS. */
  hold(bytes: number): Disposable;
}

/** As many connections as there may be hold no more than this each, without being counted. */
const SMALL = 64 * 1024;
const FREE: Disposable = { [Symbol.dispose]: () => undefined };

export function createHeldBytes(limit: number): HeldBytes {
  let held = 0;
  return {
    hold: (bytes) => {
      if (bytes <= SMALL) return FREE;
      if (held > 0 && held + bytes > limit) {
        throw new ImagesError('TOOMANYREQUESTS', 'too many large manifests and lists are on their way: try again');
      }
      held += bytes;
      let isHeld = true;
      return {
        [Symbol.dispose]: () => {
          if (isHeld) held -= bytes;
          isHeld = false;
        },
      };
    },
  };
}
