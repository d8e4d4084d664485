// The times in a built image, chosen so that equal inputs give equal bytes. Layers of the base keep theirs.
import { compareTimes, type TarTime, wholeSeconds } from '../../tar/time.ts';

/**
 * `fixed`: all times are replaced by this one (--timestamp; EPOCH by default). `latest`: later times are replaced by this one (SOURCE_DATE_EPOCH).
 * `kept`: times are preserved; the result is then reproducible only if the times of the inputs are equal. In seconds since 1970.
 */
export type TimeChoice =
  | { readonly kind: 'fixed'; readonly seconds: number }
  | { readonly kind: 'latest'; readonly seconds: number }
  | { readonly kind: 'kept' };

/** 1980-01-01, the earliest time that zip archives can represent. */
export const EPOCH = 315_532_800;

export interface TimeRules {
  /** Identifies the choice. */
  readonly id: string;
  /** The time of the image, and of what has no time of its own. */
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
