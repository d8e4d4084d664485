// What becomes of times in what is built, so that equal inputs give equal bytes. Lower layers keep theirs.
import { compareTimes, type TarTime, wholeSeconds } from '../../tar/time.ts';

/**
 * `fixed`: all become this one (--timestamp; EPOCH where nobody says anything). `latest`: later ones become this one (SOURCE_DATE_EPOCH).
 * `kept`: they stay; then equal inputs are those with equal times. In seconds since 1970.
 */
export type TimeChoice =
  | { readonly kind: 'fixed'; readonly seconds: number }
  | { readonly kind: 'latest'; readonly seconds: number }
  | { readonly kind: 'kept' };

/** 1980, the first year that zip archives know. */
export const EPOCH = 315_532_800;

export interface TimeRules {
  /** Tells the choice from others. */
  readonly id: string;
  /** Of the image and of what has no time of its own. */
  readonly made: TarTime;
  of(time: TarTime): TarTime;
}

export function timeRules(choice: TimeChoice): TimeRules {
  const made = wholeSeconds(choice.kind === 'kept' ? EPOCH : choice.seconds);
  switch (choice.kind) {
    case 'fixed':
      return { id: `fixed:${choice.seconds}`, made, of: () => made };
    case 'latest':
      return { id: `latest:${choice.seconds}`, made, of: (time) => (compareTimes(time, made) > 0 ? made : time) };
    case 'kept':
      return { id: 'kept', made, of: (time) => time };
  }
}

export function isoTime({ seconds }: TarTime): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
