// Words for a leap of the clock.
import type { Collection } from '../storage/collector/run.ts';

/** Told once: a time that does not count for what goes by age. */
export function leapLine({ from, to }: NonNullable<Collection['leap']>): string {
  const day = (time: string) => time.slice(0, 10);
  return `From ${day(from)} to ${day(to)} the store has seen nothing happen: that time does not count for what goes by age. Either the registry was off, or the clock was wrong.`;
}
