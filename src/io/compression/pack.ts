// "Hash, compress, hash": a layer's archive on its way to its compressed form, with digest and size of both, in one pass.
import type { Bytes } from '../streams/bytes.ts';
import { type Measures, measured } from '../streams/measure.ts';
import { verified } from '../streams/verify.ts';
import { compressed } from './compress.ts';

export interface PackOptions {
  readonly kind: 'gzip' | 'zstd' | 'none';
  /** What compresses best for its time, when absent. */
  readonly level?: number;
  /** What the uncompressed bytes are known to be: they are verified. */
  readonly expected?: Measures;
}

export interface PackedStream {
  /** The compressed bytes. Errors: those of the body; DIGEST_INVALID, SIZE_INVALID where it is not what is expected. */
  readonly body: Bytes;
  /** Of what has passed. Can be called once, at the end. */
  result(): { readonly plain: Measures; readonly packed: Measures };
}

/** The body, compressed while it is read. */
export function pack(body: Bytes, { kind, level, expected }: PackOptions): PackedStream {
  const measuring = expected ? undefined : measured(body);
  const plain = measuring?.body ?? (expected ? verified(body, expected) : body);
  const plainResult = (): Measures => measuring?.result() ?? (expected as Measures);
  if (kind === 'none') {
    return {
      body: plain,
      result() {
        const measures = plainResult();
        return { plain: measures, packed: measures };
      },
    };
  }
  const packed = measured(compressed(plain, { kind, ...(level !== undefined && { level }) }));
  return { body: packed.body, result: () => ({ plain: plainResult(), packed: packed.result() }) };
}
