// Sizes as people write them: `200 GiB`. Pure.

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** What can be written, for hints. */
export const SIZE_EXAMPLES = '500 MB, 200 GiB, 1.5 TiB';

/** In bytes; `undefined` if it is no size. */
export function parseSize(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,15}(?:\.\d{1,9})?) ?([a-z]*)$/i.exec(text.trim()) ?? [];
  const name = unit.toLowerCase();
  if (number === undefined || !Object.hasOwn(SIZE_UNITS, name)) return undefined;
  const bytes = Math.round(Number(number) * (SIZE_UNITS[name] ?? Number.NaN));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

const BINARY = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `1.5 GiB`, `200 GiB`, `17 bytes`. */
export function inBinaryUnits(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1023.95 && unit < BINARY.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? bytes : value.toFixed(1).replace(/\.0$/, '')} ${BINARY[unit]}`;
}
