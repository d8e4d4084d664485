// Ages and periods as people write them in options and settings: `7d`, `12h`, `1d12h`, `90m`, `0`.
import { ImagesError } from '../../oci/errors.ts';

const UNITS_MS: Readonly<Record<string, number>> = {
  w: 7 * 24 * 3600_000,
  d: 24 * 3600_000,
  h: 3600_000,
  m: 60_000,
  s: 1000,
};
/** In milliseconds: a thousand years. What is longer leads to dates that do not exist. */
const MOST_MS = 365_250 * 24 * 3600_000;

/** Returns milliseconds. `what` names the option or key in the error: `--older-than`. Errors: USAGE. */
export function parseAge(text: string, what: string): number {
  const ms = ageOf(text);
  if (ms !== undefined) return ms;
  throw new ImagesError('USAGE', `not an age [${what}=${text}]`, {
    hint: 'Write numbers with w, d, h, m or s after them, such as 7d, 12h or 1d12h; or 0.',
  });
}

/** Returns milliseconds; `undefined` for what is no age. Larger units come first, each at most once. */
export function ageOf(text: string): number | undefined {
  if (text === '0') return 0;
  const [whole, ...numbers] = /^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text) ?? [];
  if (!whole) return undefined;
  const ms = Object.values(UNITS_MS).reduce((sum, unit, at) => sum + unit * Number(numbers[at] ?? 0), 0);
  return ms <= MOST_MS ? ms : undefined;
}
