// The arithmetic of crc64.ts on 64 bits at a time, and on 256 where there are many, in WebAssembly: JavaScript has no such integers that are fast.
// The module, as text (`>>` is shr_u, `<<` shl, `^` xor; locals by name; $a, $b and $o hold two numbers of 64 bits each):
//
//   (module (memory (export "m") 1)
//     (func (export "r") (param $low i32) (param $high i32) (param $at i32) (param $end i32) (local $w i64) (local $a $b $o v128)
//       $w = $high << 32 | $low
//       (if (i32.ge_u ($end - $at) 64) (then
//         $a = (v128.load $at) ^ (i64x2 $w 0)
//         $b = (v128.load offset=16 $at)
//         $w = 0
//         (loop
//           $at = $at + 32
//           $o = $a << 60 ^ $a << 52 ^ $a << 48
//           $a = $o ^ $o >> 1 ^ $o >> 3 ^ $o >> 4 ^ $a ^ $a >> 4 ^ $a >> 12 ^ $a >> 16 ^ (v128.load $at)
//           $o = $b << 60 ^ $b << 52 ^ $b << 48
//           $b = $o ^ $o >> 1 ^ $o >> 3 ^ $o >> 4 ^ $b ^ $b >> 4 ^ $b >> 12 ^ $b >> 16 ^ (v128.load offset=16 $at)
//           (br_if 0 (i32.ge_u ($end - $at) 64)))
//         (v128.store $at $a)
//         (v128.store offset=16 $at $b)))
//       (block (loop
//         (br_if 1 (i32.ge_u $at $end))
//         $w = $w ^ (i64.load $at)
//         $w = $w ^ $w >> 1 ^ $w >> 3 ^ $w >> 4 ^ (i64.load ($w & 15) << 3)
//         $at = $at + 8
//         (br 0)))
//       (i64.store 128 $w)))
//
// x^256 is x^16 + x^12 + x^4 + 1 here: four numbers go on side by side, each over what is 256 bits further on; $o is what falls out of them, x^64 and above.
// At the last 32 bytes all that came before stands where these were.

const MODULE =
  'AGFzbQEAAAABCAFgBH9/f38AAwIBAAUDAQABBwkCAW0CAAFyAAAK7AIB6QICAX4DeyABrUIghiAArYQhBCADIAJrQcAATwRAIAL9AAAAQgD9EiAE/R4A/VEhBSAC/QAAECEGQgAhBANAIAJBIGohAi' +
  'AFQTz9ywEgBUE0/csB/VEgBUEw/csB/VEiByAHQQH9zQH9USAHQQP9zQH9USAHQQT9zQH9USAF/VEgBUEE/c0B/VEgBUEM/c0B/VEgBUEQ/c0B/VEgAv0AAAD9USEFIAZBPP3LASAGQTT9ywH9USAG' +
  'QTD9ywH9USIHIAdBAf3NAf1RIAdBA/3NAf1RIAdBBP3NAf1RIAb9USAGQQT9zQH9USAGQQz9zQH9USAGQRD9zQH9USAC/QAAEP1RIQYgAyACa0HAAE8NAAsgAiAF/QsAACACIAb9CwAQCwJAA0AgAi' +
  'ADTw0BIAQgAikDAIUiBCAEQgGIhSAEQgOIhSAEQgSIhSAEp0EPcUEDdCkDAIUhBCACQQhqIQIMAAsLQQAgBDcDgAEL';
const [REGISTER, INPUT] = [128, 256];
/** Twice of it fits into the processor's nearest memory. */
const PORTION = 1 << 14;

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
