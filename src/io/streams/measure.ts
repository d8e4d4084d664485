// Computes digest and size of a stream while it passes.
import { type Digest, type DigestAlgorithm, digester } from '../../oci/digest.ts';
import type { Bytes } from './bytes.ts';
import { tapped } from './verify.ts';

export interface Measures {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

export interface MeasuredStream {
  readonly body: Bytes;
  /** For the bytes that have passed. Can be called once, at the end. */
  result(): Measures;
}

/** The stream; its digest and size are computed while it is read. */
export function measured(body: Bytes, algorithm: DigestAlgorithm = 'sha256'): MeasuredStream {
  const hash = digester(algorithm);
  let size = 0;
  const passing = tapped(body, (chunk) => {
    hash.update(chunk);
    size += chunk.length;
  });
  return { body: passing, result: () => ({ digest: `${algorithm}:${hash.digest('hex')}`, size }) };
}

/** Reads the stream to its end, only for its digest and size. Errors: those of the body. */
export async function measure(body: Bytes): Promise<Measures> {
  const { body: passing, result } = measured(body);
  for await (const _ of passing);
  return result();
}
