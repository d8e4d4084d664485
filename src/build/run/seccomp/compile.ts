// Compiles the list of system calls to a seccomp filter (seccomp(2), classic BPF): one filter for all architectures whose programs this machine runs.
import { ALLOWED, CONDITIONS, type Compared, type Condition, REFUSED } from './list.ts';
import { AARCH64, ARM, I386, X86_64 } from './numbers.ts';

interface Architecture {
  /** AUDIT_ARCH_… (linux/audit.h). */
  readonly audit: number;
  readonly numbers: string;
}

/** By Node's name of the machine's architecture: that one, and the other one that its processors support. */
const ARCHITECTURES: Readonly<Record<string, readonly Architecture[]>> = {
  x64: [
    { audit: 0xc000003e, numbers: X86_64 },
    { audit: 0x40000003, numbers: I386 },
  ],
  arm64: [
    { audit: 0xc00000b7, numbers: AARCH64 },
    { audit: 0x40000028, numbers: ARM },
  ],
};

/** SECCOMP_RET_ALLOW, and SECCOMP_RET_ERRNO with an error number. */
const ALLOW = 0x7fff0000;
const errno = (number: number): number => 0x00050000 | number;
const REFUSE = errno(1);
const MISSING = errno(38);

const LOAD = 0x20;
const AND = 0x54;
const JUMP = 0x05;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const RETURN = 0x06;
/** Offsets in struct seccomp_data: the system call, the architecture, the lower half of an argument. */
const CALL = 0;
const ARCHITECTURE = 4;
const argumentAt = (argument: number): number => 16 + 8 * argument;

interface Instruction {
  readonly code: number;
  readonly value: number;
  /** The number of instructions to skip. */
  readonly whenTrue?: number;
  readonly whenFalse?: number;
}
type Program = readonly Instruction[];

export interface FilterOptions {
  /** System calls that do nothing and report success. */
  readonly pretended?: readonly string[];
}

const compiled = new Map<string, Uint8Array | undefined>();

/** The filter in the kernel's format (struct sock_filter, little-endian). Returns `undefined` for unsupported architectures. Results are cached. */
export function compileFilter(architecture: string, options: FilterOptions = {}): Uint8Array | undefined {
  const key = [architecture, ...(options.pretended ?? [])].join(' ');
  if (!compiled.has(key)) compiled.set(key, compile(architecture, options));
  return compiled.get(key);
}

function compile(architecture: string, options: FilterOptions): Uint8Array | undefined {
  const known = Object.hasOwn(ARCHITECTURES, architecture) ? ARCHITECTURES[architecture] : undefined;
  if (!known) return undefined;
  const answers = answersOf(options);
  const program = known.reduceRight<Program>(
    (others, { audit, numbers }) => [
      { code: LOAD, value: ARCHITECTURE },
      ...branch({ code: JUMP_EQUAL, value: audit }, bodyOf(numbers, answers), others),
    ],
    [{ code: RETURN, value: MISSING }],
  );
  return Buffer.concat(program.map(encoded));
}

/** The program for each system call, by name. */
type Answers = ReadonlyMap<string, Program>;

function answersOf({ pretended = [] }: FilterOptions): Answers {
  // All calls with the same answer share one program object: adjacent numbers are merged by its identity.
  const all = (purposes: typeof ALLOWED, value: number) => {
    const program: Program = [{ code: RETURN, value }];
    return purposes.flatMap(({ calls }) => calls.map((call) => [call, program] as const));
  };
  return new Map<string, Program>([
    ...all(ALLOWED, ALLOW),
    ...all(REFUSED, REFUSE),
    ...CONDITIONS.flatMap((condition) => condition.calls.map((call) => [call, conditional(condition)] as const)),
    ...pretended.map((call) => [call, [{ code: RETURN, value: errno(0) }]] as const),
  ]);
}

function conditional({ whenever }: Condition): Program {
  return whenever.reduceRight<Program>((otherwise, all) => compared(all, otherwise), [{ code: RETURN, value: REFUSE }]);
}

/** Allows the call if all comparisons hold, otherwise continues with `otherwise`. */
function compared(all: readonly Compared[], otherwise: Program): Program {
  let tests: Program = [{ code: RETURN, value: ALLOW }];
  // Built from the last comparison to the first: one that fails jumps over the rest.
  for (const { argument, mask, value } of all.toReversed()) {
    const leap = { code: JUMP_EQUAL, value, whenTrue: 0, whenFalse: tests.length };
    tests = [{ code: LOAD, value: argumentAt(argument) }, { code: AND, value: mask }, leap, ...tests];
  }
  return [...tests, ...otherwise];
}

/** The numbers from `first` up to the next range. */
interface Range {
  readonly first: number;
  readonly answer: Program;
}

function bodyOf(numbers: string, answers: Answers): Program {
  return [{ code: LOAD, value: CALL }, ...search(rangesOf(numbers, answers))];
}

function rangesOf(numbers: string, answers: Answers): readonly Range[] {
  const missing: Program = [{ code: RETURN, value: MISSING }];
  const known = numbers
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [first, ...names] = line.split(' ');
      return names.map((name, at) => ({ number: Number(first) + at, answer: answers.get(name) ?? missing }));
    });
  const ranges: Range[] = [{ first: 0, answer: missing }];
  const begin = (first: number, answer: Program): void => {
    const last = ranges.at(-1);
    if (last?.first === first) ranges.pop();
    if (ranges.at(-1)?.answer !== answer) ranges.push({ first, answer });
  };
  for (const [at, { number, answer }] of known.entries()) {
    begin(number, answer);
    if (known[at + 1]?.number !== number + 1) begin(number + 1, missing);
  }
  return ranges;
}

/** Binary search: about six comparisons for each call. */
function search(ranges: readonly Range[]): Program {
  const half = ranges.length >> 1;
  const middle = ranges[half] as Range;
  if (ranges.length === 1) return middle.answer;
  return branch(
    { code: JUMP_AT_LEAST, value: middle.first },
    search(ranges.slice(half)),
    search(ranges.slice(0, half)),
  );
}

/** A conditional jump can skip at most 255 instructions. */
function branch(test: Instruction, yes: Program, no: Program): Program {
  if (no.length <= 255) return [{ ...test, whenTrue: no.length, whenFalse: 0 }, ...no, ...yes];
  return [{ ...test, whenTrue: 0, whenFalse: 1 }, { code: JUMP, value: no.length }, ...no, ...yes];
}

function encoded({ code, value, whenTrue = 0, whenFalse = 0 }: Instruction): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(whenTrue, 2);
  bytes.writeUInt8(whenFalse, 3);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}
