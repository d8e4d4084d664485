// xz, by the WebAssembly in the package xz-decompress (xz-embedded). Its decoder is driven here and not by the package's own stream: that one decodes one stream at
// a time in a process, so that two which are read in turn wait for each other forever, and it needs a web stream on each side.
import xz from 'xz-decompress';
import { ImagesError } from '../../oci/errors.ts';
import { breaksOff, compressionInvalid, trailing } from './compression-invalid.ts';

/** Of the module in WebAssembly; a context is a place in its memory. */
export interface XzExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  create_context(): number;
  destroy_context(context: number): void;
  supply_input(context: number, length: number): void;
  get_next_output(context: number): number;
}

/** Several streams in a row are one. Errors: COMPRESSION_INVALID; UNSUPPORTED for other filters than LZMA2; those of `bytes`. */
export async function* unxz(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const decoder = new Decoder(await load());
  try {
    for await (const chunk of bytes) {
      for (let at = 0; at < chunk.length; at += decoder.capacity) {
        decoder.supply(chunk.subarray(at, at + decoder.capacity));
        yield* decoder.outputs();
      }
    }
    // Only nothing says that nothing comes any more.
    decoder.supply(new Uint8Array());
    yield* decoder.outputs();
    if (!decoder.isOver) throw breaksOff('xz');
  } finally {
    decoder.close();
  }
}

async function load(): Promise<XzExports> {
  const { XzReadableStream } = xz;
  if (!XzReadableStream._moduleInstance) await XzReadableStream._getModuleInstance();
  return (XzReadableStream._moduleInstance as { readonly exports: XzExports }).exports;
}

/** `enum xz_ret` of xz-embedded. */
const OK = 0;
const STREAM_END = 1;
const FORMAT_ERROR = 5;
const BUFFER_ERROR = 8;
const UNSUPPORTED: Readonly<Record<number, string>> = {
  2: 'this kind of checksum',
  3: 'a dictionary that large',
  4: 'a dictionary that large',
  6: 'these filters or this kind of checksum',
};

/** Words of 4 bytes in a context. */
const CAPACITY = 0;
const INPUT = 1;
const READ = 2;
const SUPPLIED = 3;
const OUTPUT = 4;
const WRITTEN = 5;

/** State: a context in the module's memory, which may grow, and so move, with each call. Lifetime: a stream's. */
class Decoder {
  readonly capacity: number;
  isOver = false;
  readonly #exports: XzExports;
  readonly #context: number;

  constructor(exports: XzExports) {
    this.#exports = exports;
    this.#context = exports.create_context();
    this.capacity = this.#words()[CAPACITY] as number;
  }

  /** At most `capacity` bytes, when all that was supplied before is read. */
  supply(bytes: Uint8Array): void {
    new Uint8Array(this.#exports.memory.buffer).set(bytes, this.#words()[INPUT]);
    this.#exports.supply_input(this.#context, bytes.length);
  }

  /** All that comes of what was supplied, in memory of its own. Errors: COMPRESSION_INVALID, UNSUPPORTED. */
  *outputs(): Generator<Uint8Array, void> {
    for (let isMore = true; isMore; ) {
      const result = this.#exports.get_next_output(this.#context);
      if (result !== OK && result !== STREAM_END) throw failure(result);
      this.isOver = result === STREAM_END;
      const words = this.#words();
      const [from, length] = [words[OUTPUT] as number, words[WRITTEN] as number];
      words[WRITTEN] = 0;
      isMore = !this.isOver && (length === this.capacity || words[READ] !== words[SUPPLIED]);
      if (length > 0) yield new Uint8Array(this.#exports.memory.buffer).slice(from, from + length);
    }
  }

  close(): void {
    this.#exports.destroy_context(this.#context);
  }

  #words(): Uint32Array {
    return new Uint32Array(this.#exports.memory.buffer, this.#context, 8);
  }
}

function failure(result: number): ImagesError {
  if (result === BUFFER_ERROR) return breaksOff('xz');
  if (result === FORMAT_ERROR) return trailing('xz');
  const what = UNSUPPORTED[result];
  if (what === undefined) return compressionInvalid('xz', 'wrong data');
  return new ImagesError('UNSUPPORTED', `xz with ${what} is not read`, {
    hint: 'Compress it again, with xz as it does by itself.',
  });
}
