// The content of an entry: the stored bytes, or the whole file with zeros for its holes. Nothing is produced before it is read.
import { ImagesError } from '../oci/errors.ts';
import type { ByteSource } from './byte-source.ts';
import type { SparsePiece, StoredBytes } from './entry.ts';
import { refit } from './sparse-pieces.ts';
import { zeros } from './zeros.ts';

/** State: how many bytes of the entry have not been read yet. Lifetime: until the next entry is requested. */
export class StoredContent implements StoredBytes {
  readonly length: number;
  left: number;
  #isOver = false;
  readonly #source: ByteSource;

  constructor(source: ByteSource, length: number) {
    this.#source = source;
    this.length = length;
    this.left = length;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    while (this.left > 0) yield await this.some(this.left);
  }

  whole(): Uint8Array | undefined {
    if (this.#isOver || this.left < this.length || !this.#source.has(this.length)) return undefined;
    this.left = 0;
    return this.#source.now(this.length);
  }

  /** Some bytes, at most `limit`. Errors: TAR_INVALID. */
  async some(limit: number): Promise<Uint8Array> {
    if (this.#isOver) throw new Error('The content of an entry is read before the next entry is asked for.');
    const portion = this.#source.now(limit) ?? (await this.#source.some(limit));
    if (!portion) throw brokenOff(this.left);
    this.left -= portion.length;
    return portion;
  }

  /** Ends reading; returns the number of unread bytes. */
  end(): number {
    this.#isOver = true;
    return this.left;
  }
}

/** A sparse file of `size` bytes: its stored pieces, with zeros in between. Errors: TAR_INVALID. */
export async function* withHoles(
  stored: StoredContent,
  pieces: readonly SparsePiece[],
  size: number,
): AsyncGenerator<Uint8Array, void> {
  if (pieces.length === 0) yield* zeros(size);
  const whole = refit(pieces, [{ offset: 0, length: size }]);
  for await (const portion of stored) yield* whole(portion);
}

export function brokenOff(left: number): ImagesError {
  return new ImagesError('TAR_INVALID', `the tar archive breaks off [${left} bytes before the end of an entry]`);
}
