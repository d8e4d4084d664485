// Whether the clock of this machine can be believed. With a wrong one, certificates and tokens look expired or not valid yet, and what goes by age waits.
import { ImagesError } from '../../oci/errors.ts';
import { lastNoted } from '../../storage/collector/store-time.ts';
import type { Objects } from '../../storage/objects.ts';

export interface ClockOptions {
  /** In milliseconds since 1970. */
  readonly now?: () => number;
  /** Milliseconds that never go back. */
  readonly passed?: () => number;
}

const DAY_MS = 24 * 3600 * 1000;
/** In milliseconds: as long as collectors take for a leap (store-time.ts). */
const LEAP_MS = 32 * DAY_MS;
/** Of earlier times only a clock without a battery speaks. In milliseconds since 1970. */
const WRITTEN = Date.UTC(2026, 0, 1);

/**
 * A check for `HealthChecks.more`: fails while the clock says a time before this program was written, or one a day before the store was last kept in order; and for
 * a day after it leapt ahead by more than a month while the registry ran, unless it is set back.
 */
export function clockCheck(
  objects: Objects,
  { now = Date.now, passed = () => performance.now() }: ClockOptions = {},
): () => Promise<void> {
  let before = { clock: now(), passed: passed() };
  let leap: { readonly from: number; readonly at: number } | undefined;
  return async () => {
    const [clock, since] = [now(), passed()];
    const jump = clock - before.clock - (since - before.passed);
    // A clock that was set right after the machine had started without knowing the time is right now.
    if (jump > LEAP_MS && before.clock >= WRITTEN) leap = { from: before.clock, at: since };
    else if (jump < -DAY_MS || (leap && since - leap.at > DAY_MS)) leap = undefined;
    before = { clock, passed: since };
    if (clock < WRITTEN) throw wrongClock(`the clock says ${dayOf(clock)}`);
    const noted = (await lastNoted(objects))?.getTime() ?? 0;
    if (noted > clock + DAY_MS)
      throw wrongClock(`the clock says ${dayOf(clock)}, and the store was kept in order on ${dayOf(noted)}`);
    if (leap) throw wrongClock(`the clock went from ${dayOf(leap.from)} to ${dayOf(clock)} at once`);
  };
}

function wrongClock(what: string): ImagesError {
  return new ImagesError('SERVER_ERROR', what, { isPublic: true, hint: 'Set the clock of this machine.' });
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
