// A time limit for waiting on another machine. It is cheap enough to be set for every chunk of a stream.
import { ImagesError } from '../../oci/errors.ts';

export interface Watchdog {
  /** Starts the clock: `done` must be called within this time. */
  expect(milliseconds: number): void;
  /** Stops the clock. */
  done(): void;
}

/** Uses one timer for many short waits: chunks come by the thousand, and `refresh` allocates nothing. */
export function createWatchdog(bark: (milliseconds: number) => void): Watchdog {
  let timer: NodeJS.Timeout | undefined;
  let limit = 0;
  let waiting = false;
  const fire = () => {
    if (waiting) bark(limit);
    timer = undefined;
  };
  return {
    expect(milliseconds) {
      waiting = true;
      if (timer && limit === milliseconds) {
        timer.refresh();
        return;
      }
      clearTimeout(timer);
      limit = milliseconds;
      timer = setTimeout(fire, milliseconds);
      timer.unref();
    },
    done() {
      waiting = false;
    },
  };
}

/** The error for when the time is over. */
export function silence(host: string, milliseconds: number): ImagesError {
  return new ImagesError('TIMEOUT', `${host} has sent nothing for ${milliseconds / 1000} s`, {
    hint: 'Try again later, or check the network and http_proxy.',
  });
}

/** The error for a transfer that is not silent but too slow. `what` is for instance `sent only 7 bytes`. */
export function tooSlow(host: string, what: string, milliseconds: number): ImagesError {
  return new ImagesError('TIMEOUT', `${host} has ${what} in ${Math.round(milliseconds / 1000)} s`, {
    hint: 'Try again later, or check the network and http_proxy.',
  });
}
