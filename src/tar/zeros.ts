// The bytes of holes. Pure.
const ZEROS: Uint8Array = new Uint8Array(64 * 1024);

/** In chunks that are not to be changed; none for less than one byte. */
export function* zeros(count: number): Generator<Uint8Array, void> {
  for (let left = count; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, left);
}
