// An xz decoder: drives the WebAssembly module of the package xz-decompress (xz-embedded) directly. The package's own stream is not used, because it decodes
// one stream at a time in a process, so that two streams read in turn deadlock, and because it needs web streams on both sides.
import xz from 'xz-decompress';
import { ImagesError } from '../../oci/errors.ts';
import { breaksOff, compressionInvalid, trailing } from './compression-invalid.ts';

/** The exports of the WebAssembly module. A context is an address in its memory. */
export interface XzExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  create_context(): number;
  destroy_context(context: number): void;
  supply_input(context: number, length: number): void;
  get_next_output(context: number): number;
}

/** Concatenated streams are read as one. Errors: COMPRESSION_INVALID; UNSUPPORTED for filters other than LZMA2; those of `bytes`. */
export async function* unxz(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const decoder = new Decoder(await load());
  try {
    for await (const chunk of bytes) {
      for (let at = 0; at < chunk.length; at += decoder.capacity) {
        decoder.supply(chunk.subarray(at, at + decoder.capacity));
        yield* decoder.outputs();
      }
    }
    // The decoder takes an empty input as the end of input.
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

/** Indexes of the fields of a context, in words of 4 bytes. */
const CAPACITY = 0;
const INPUT = 1;
const READ = 2;
const SUPPLIED = 3;
const OUTPUT = 4;
const WRITTEN = 5;

/** State: a context in the module's memory. Each call may grow that memory and so detach earlier views of it. Lifetime: one stream. */
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

  /** Takes at most `capacity` bytes of input, after all earlier input has been consumed. */
  supply(bytes: Uint8Array): void {
    new Uint8Array(this.#exports.memory.buffer).set(bytes, this.#words()[INPUT]);
    this.#exports.supply_input(this.#context, bytes.length);
  }

  /** Everything that the supplied input decodes to, copied out of the module's memory. Errors: COMPRESSION_INVALID, UNSUPPORTED. */
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
  return new ImagesError('UNSUPPORTED', `xz with ${what} is not supported`, {
    hint: 'Compress it again with the default options of xz.',
  });
}
