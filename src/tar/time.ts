// Times in tar archives: whole seconds in headers, decimal fractions in pax records, before 1970 too (POSIX.1-2017, pax, "pax Extended Header File Times").

/** A point in time: `seconds` may be negative, `nanoseconds` counts up from there (0 to 999,999,999). */
export interface TarTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

const DECIMAL = /^(-?)(\d+)(?:\.(\d*))?$/;

/** A time without nanoseconds, from seconds since 1970. */
export function wholeSeconds(seconds: number): TarTime {
  return { seconds, nanoseconds: 0 };
}

/** Parses a decimal number of seconds; `undefined` if it is none. Digits after nanoseconds are cut off, towards the past. */
export function parseTime(text: string): TarTime | undefined {
  const match = DECIMAL.exec(text);
  if (!match) return undefined;
  const [, sign, digits = '', fraction = ''] = match;
  const seconds = Number(digits);
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'));
  if (!Number.isSafeInteger(seconds)) return undefined;
  if (sign === '') return { seconds, nanoseconds };
  const more = /[1-9]/.test(fraction.slice(9)) ? 1 : 0;
  const back = nanoseconds + more;
  return back === 0
    ? { seconds: -seconds + 0, nanoseconds: 0 }
    : { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - back };
}

/** Formats a time for a pax record; without a fraction if that is zero. */
export function formatTime({ seconds, nanoseconds }: TarTime): string {
  if (nanoseconds === 0) return String(seconds);
  const negative = seconds < 0;
  const whole = negative ? -seconds - 1 : seconds;
  const fraction = String(negative ? 1_000_000_000 - nanoseconds : nanoseconds).padStart(9, '0');
  return `${negative ? '-' : ''}${whole}.${fraction.replace(/0+$/, '')}`;
}

export function compareTimes(a: TarTime, b: TarTime): number {
  return a.seconds - b.seconds || a.nanoseconds - b.nanoseconds;
}
