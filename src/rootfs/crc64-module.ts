// The arithmetic of crc64.ts on 64 bits at a time, in WebAssembly, because JavaScript has no such integers that are fast: it takes half the time.
// The module, as text (`>>` is i64.shr_u, `^` is i64.xor; locals by name):
//
//   (module (memory (export "m") 5)
//     (func (export "r") (param $low i32) (param $high i32) (param $at i32) (param $end i32) (local $w i64)
//       $w = $high << 32 | $low
//       (block (loop
//         (br_if 1 (i32.ge_u $at $end))
//         $w = $w ^ (i64.load $at)
//         $w = $w ^ $w >> 1 ^ $w >> 3 ^ $w >> 4 ^ (i64.load ($w & 15) << 3)
//         $at = $at + 8
//         (br 0)))
//       (i64.store 128 $w)))

const MODULE =
  'AGFzbQEAAAABCAFgBH9/f38AAwIBAAUDAQAFBwkCAW0CAAFyAAAKWwFZAQF+IAGtQiCGIACthCEEAkADQCACIANPDQEgBCACKQMAhSIEIARCAYiFIARCA4iF' +
  'IARCBIiFIASnQQ9xQQN0KQMAhSEEIAJBCGohAgwACwtBgAEgBDcDAAs=';
const [REGISTER, INPUT] = [128, 256];
const PORTION = 1 << 18;

/** What is used of it: types that suit are part of the DOM's only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

interface Exports {
  readonly m: { readonly buffer: ArrayBuffer };
  r(low: number, high: number, at: number, end: number): void;
}

export interface Register {
  low: number;
  high: number;
}

export type Wide = (register: Register, bytes: Uint8Array) => void;

let made: Wide | undefined;

/** Takes bytes in, whose number is a multiple of eight. Made when first asked for; one for all, as nothing of it is kept between calls. */
export function wideCrc(): Wide {
  made ??= make();
  return made;
}

function make(): Wide {
  const { m: memory, r: run } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(MODULE, 'base64')))
    .exports as Exports;
  const input = new Uint8Array(memory.buffer);
  const register = new Int32Array(memory.buffer, REGISTER, 2);
  writeTable(new DataView(memory.buffer));
  return (state, bytes) => {
    for (let from = 0; from < bytes.length; from += PORTION) {
      const portion = bytes.subarray(from, from + PORTION);
      input.set(portion, INPUT);
      run(state.low, state.high, INPUT, INPUT + portion.length);
      state.low = register[0] as number;
      state.high = register[1] as number;
    }
  };
}

/** What the four lowest bits, shifted out of the register by 1, 3 and 4, put into it again: each by the polynomial's terms 1, x, x^3, x^4. */
function writeTable(table: DataView): void {
  const terms = [0, 1, 3, 4];
  for (let bits = 0; bits < 16; bits++) {
    let value = 0n;
    for (let bit = 0; bit < 4; bit++) {
      if (((bits >> bit) & 1) === 0) continue;
      for (const shift of terms.filter((term) => term > bit)) {
        for (const term of terms) value ^= 1n << BigInt(63 - (shift - bit - 1) - term);
      }
    }
    table.setBigUint64(8 * bits, value, true);
  }
}
