// Zero bytes, for holes. Pure.
const ZEROS: Uint8Array = new Uint8Array(64 * 1024);

/** `count` zeros in chunks that must not be changed; no chunk if `count` is not positive. */
export function* zeros(count: number): Generator<Uint8Array, void> {
  for (let left = count; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, left);
}
