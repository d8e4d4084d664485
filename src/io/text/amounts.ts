// Amounts for people. Pure.
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `350.1 MB`: decimal units, as registries and disks use them. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? `${bytes} B` : `${value.toFixed(1)} ${UNITS[unit]}`;
}

/** `1 blob`, `2 blobs`. */
export function formatCount(count: number, one: string, many: string = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
