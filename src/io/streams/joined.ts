// A stream of few bytes, read whole.
import { type Bytes, wholeOf } from './bytes.ts';

/** All bytes of the stream. A single chunk is given as it is, in its own memory: so readers can see that they know it. */
export async function joined(body: Bytes): Promise<Uint8Array> {
  const whole = wholeOf(body);
  if (whole) return whole;
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks);
}
