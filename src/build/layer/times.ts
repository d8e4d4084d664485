// What becomes of times in what is built, so that equal inputs give equal bytes. Lower layers keep theirs.
import { compareTimes, type TarTime, wholeSeconds } from '../../tar/time.ts';

/**
 * `kept`: as they are, but what was made during the build has no time worth keeping and gets EPOCH. `latest`: later ones become this one
 * (SOURCE_DATE_EPOCH). `fixed`: all become this one (--timestamp). In seconds since 1970.
 */
export type TimeChoice =
  | { readonly kind: 'kept' }
  | { readonly kind: 'latest'; readonly seconds: number }
  | { readonly kind: 'fixed'; readonly seconds: number };

/** 1980, the first year that zip archives know. */
export const EPOCH = 315_532_800;
/** Files get the time of a clock that ticks every few milliseconds. */
const TICK = 20;

export interface TimeRules {
  /** Tells the choice from others. */
  readonly id: string;
  /** Of the image and of what has no time of its own. */
  readonly made: TarTime;
  /** In milliseconds since 1970. */
  readonly since: number;
  of(time: TarTime): TarTime;
}

/** `since` is when the build began, in milliseconds since 1970. */
export function timeRules(choice: TimeChoice, since: number): TimeRules {
  const made = wholeSeconds(choice.kind === 'kept' ? EPOCH : choice.seconds);
  if (choice.kind === 'fixed') return { id: `fixed:${choice.seconds}`, made, since, of: () => made };
  if (choice.kind === 'latest') {
    return { id: `latest:${choice.seconds}`, made, since, of: (time) => (compareTimes(time, made) > 0 ? made : time) };
  }
  const begin = since - TICK;
  const limit = { seconds: Math.floor(begin / 1000), nanoseconds: Math.floor(begin % 1000) * 1_000_000 };
  return { id: 'kept', made, since, of: (time) => (compareTimes(time, limit) >= 0 ? made : time) };
}

export function isoTime({ seconds }: TarTime): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
