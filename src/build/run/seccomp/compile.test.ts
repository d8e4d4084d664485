import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { because } from '../../../../test/peers/find.ts';
import { compileFilter } from './compile.ts';
import { ALLOWED, CONDITIONS, OWNER_CALLS, REFUSED } from './list.ts';
import { AARCH64, ARM, I386, X86_64 } from './numbers.ts';

const AUDIT = { x86_64: 0xc000003e, i386: 0x40000003, aarch64: 0xc00000b7, arm: 0x40000028 } as const;
const MACHINES = [
  { node: 'x64', audit: AUDIT.x86_64, numbers: X86_64 },
  { node: 'x64', audit: AUDIT.i386, numbers: I386 },
  { node: 'arm64', audit: AUDIT.aarch64, numbers: AARCH64 },
  { node: 'arm64', audit: AUDIT.arm, numbers: ARM },
] as const;
const ALLOW = 'allow';
const EPERM = 'errno 1';
const ENOSYS = 'errno 38';

interface Call {
  readonly audit: number;
  readonly number: number;
  readonly args?: readonly bigint[];
}

/** Interprets a classic BPF program like the kernel (net/core/filter.c), as far as seccomp filters may use it. */
function answer(program: Uint8Array, { audit, number, args = [] }: Call): string {
  const data = Buffer.alloc(64);
  data.writeInt32LE(number | 0, 0);
  data.writeUInt32LE(audit, 4);
  for (const [at, value] of args.entries()) data.writeBigUInt64LE(BigInt.asUintN(64, value), 16 + 8 * at);
  const bytes = Buffer.from(program);
  let accumulator = 0;
  for (let at = 0; at < bytes.length / 8; at++) {
    const [code, yes, no, value] = [
      bytes.readUInt16LE(8 * at),
      bytes[8 * at + 2] as number,
      bytes[8 * at + 3] as number,
      bytes.readUInt32LE(8 * at + 4),
    ];
    if (code === 0x20) accumulator = data.readUInt32LE(value);
    else if (code === 0x54) accumulator = (accumulator & value) >>> 0;
    else if (code === 0x05) at += value;
    else if (code === 0x15) at += accumulator === value ? yes : no;
    else if (code === 0x35) at += accumulator >= value ? yes : no;
    else if (code === 0x06) return value === 0x7fff0000 ? ALLOW : `errno ${value & 0xffff}`;
    else throw new Error(`no such instruction [${code}]`);
  }
  throw new Error('it runs over its end');
}

function numbered(numbers: string): ReadonlyMap<string, number> {
  const lines = numbers.trim().split('\n');
  return new Map(
    lines.flatMap((line) => {
      const [first, ...names] = line.split(' ');
      return names.map((name, at) => [name, Number(first) + at] as const);
    }),
  );
}

const namesOf = (purposes: readonly { readonly calls: readonly string[] }[]): readonly string[] =>
  purposes.flatMap(({ calls }) => calls);

describe('the list of system calls', () => {
  it('names each call once, and each is one that a kernel has', () => {
    const all = [...namesOf(ALLOWED), ...namesOf(REFUSED), ...namesOf(CONDITIONS)];
    expect(all.filter((name, at) => all.indexOf(name) !== at)).toEqual([]);
    const known = new Set(MACHINES.flatMap(({ numbers }) => [...numbered(numbers).keys()]));
    expect(all.filter((name) => !known.has(name))).toEqual([]);
    expect([...known].filter((name) => !all.includes(name))).toEqual([]);
  });

  const headers = {
    '/usr/include/x86_64-linux-gnu/asm/unistd_64.h': X86_64,
    '/usr/include/x86_64-linux-gnu/asm/unistd_32.h': I386,
  };
  describe.each(Object.entries(headers))('has the numbers of the kernel header', (file, numbers) => {
    const { missing, why } = because([existsSync(file) ? undefined : 'not installed']);
    it.skipIf(missing)(`${file}${why}`, () => {
      const found = readFileSync(file, 'utf8').matchAll(/^#define __NR_(\w+) (\d+)$/gm);
      const theirs = new Map([...found].map(([, name = '', number]) => [name, Number(number)]));
      const ours = numbered(numbers);
      for (const [name, number] of theirs) if (ours.has(name)) expect([name, ours.get(name)]).toEqual([name, number]);
      // Without calls that are newer than these headers.
      const highest = Math.max(...theirs.values());
      expect(
        [...ours].filter(([name, number]) => number <= highest && !theirs.has(name) && name !== 'uretprobe'),
      ).toEqual([]);
    });
  });
});

describe.each(MACHINES)(
  'the filter for $node, of programs whose architecture is $audit',
  ({ node, audit, numbers }) => {
    const program = compileFilter(node) ?? expect.fail();
    const calls = numbered(numbers);
    const of = (name: string, ...args: readonly (bigint | number)[]): string =>
      answer(program, { audit, number: calls.get(name) ?? expect.fail(name), args: args.map(BigInt) });

    it('answers each call as the list says, and those that it does not know as a kernel without them', () => {
      const allowed = new Set(namesOf(ALLOWED));
      const refused = new Set(namesOf(REFUSED));
      const conditional = new Set(namesOf(CONDITIONS));
      const byNumber = new Map([...calls].map(([name, number]) => [number, name]));
      const wrong: string[] = [];
      for (const number of [...Array(600).keys(), ...calls.values(), 983_040, 983_047, 0x7fffffff, -1]) {
        const name = byNumber.get(number) ?? '';
        if (conditional.has(name)) continue;
        const expected = allowed.has(name) ? ALLOW : refused.has(name) ? EPERM : ENOSYS;
        const got = answer(program, { audit, number });
        if (got !== expected) wrong.push(`${number} ${name}: ${got}, not ${expected}`);
      }
      expect(wrong).toEqual([]);
    });

    it('lets clone make processes and threads, and no namespaces; clone3 is told to be missing', () => {
      expect(of('clone', 17)).toBe(ALLOW);
      expect(of('clone', 0x3d0f00)).toBe(ALLOW);
      // The upper half contains no flags, and must not hide any.
      expect(of('clone', 0x7n << 32n)).toBe(ALLOW);
      for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]) {
        expect(of('clone', flag | 17)).toBe(EPERM);
        expect(of('clone', (0xffffffffn << 32n) | BigInt(flag))).toBe(EPERM);
      }
      expect(answer(program, { audit, number: 435, args: [0n] })).toBe(ENOSYS);
    });

    it('lets sockets be made, but none to the kernel’s ciphers, and to the machine around a virtual one', () => {
      const [ciphers, vsock] = [38, 40];
      for (let family = 0; family < 64; family++) {
        const expected = family === ciphers || family === vsock ? EPERM : ALLOW;
        expect([family, of('socket', family, 1, 0)]).toEqual([family, expected]);
      }
      expect(of('socket', (1n << 32n) | BigInt(vsock), 1, 0)).toBe(EPERM);
    });

    it('lets special files be made, and of devices those that do nothing', () => {
      for (const [name, before] of [
        ['mknod', [0]],
        ['mknodat', [-100, 0]],
      ] as const) {
        if (!calls.has(name)) continue;
        const node = (mode: bigint | number, device: bigint | number): string => of(name, ...before, mode, device);
        for (const type of [0, 0o100000, 0o010000, 0o140000]) expect(node(type | 0o4755, 0x801)).toBe(ALLOW);
        for (const device of [0x103, 0x105, 0x107, 0x108, 0x109, 0x500, 0x502]) {
          expect(node(0o020666, device)).toBe(ALLOW);
          expect(node(0o060666, device)).toBe(EPERM);
        }
        // mem, kmsg, tty0, console, a disk, a loop device, fuse; and 1:3 with a large major number.
        for (const device of [0x101, 0x10b, 0x400, 0x501, 0x801, 0x700, 0xae5, 0x100103, 0x10000103]) {
          expect(node(0o020666, device)).toBe(EPERM);
        }
        // The kernel evaluates 16 bits of the mode and 32 of the device.
        expect(node(0xffff0000n | 0o020666n, 0x801)).toBe(EPERM);
        expect(node((1n << 32n) | 0o060666n, 0x103)).toBe(EPERM);
        expect(node(0o020666, (1n << 32n) | 0x103n)).toBe(ALLOW);
        expect(node(0o020666, (0x103n << 32n) | 0x801n)).toBe(EPERM);
        expect(node(0o070666, 0x103)).toBe(EPERM);
      }
    });

    it('lets owners be set, or only say so', () => {
      const pretending = compileFilter(node, { pretended: OWNER_CALLS }) ?? expect.fail();
      for (const name of OWNER_CALLS.filter((each) => calls.has(each))) {
        expect(of(name)).toBe(ALLOW);
        expect(answer(pretending, { audit, number: calls.get(name) as number })).toBe('errno 0');
      }
      expect(answer(pretending, { audit, number: calls.get('read') as number })).toBe(ALLOW);
    });

    it('is one that the kernel takes: it ends, leaps forward only, and is no longer than 4096 instructions', () => {
      const bytes = Buffer.from(program);
      const length = bytes.length / 8;
      expect(length).toBeLessThan(4096);
      for (let at = 0; at < length; at++) {
        const code = bytes.readUInt16LE(8 * at);
        const far =
          code === 0x05
            ? bytes.readUInt32LE(8 * at + 4)
            : Math.max(bytes[8 * at + 2] as number, bytes[8 * at + 3] as number);
        expect(at + (code === 0x06 ? 0 : far + 1)).toBeLessThan(length);
      }
    });
  },
);

it('programs of other architectures have no calls at all; there is no filter for other machines', () => {
  const program = compileFilter('x64') ?? expect.fail();
  expect(answer(program, { audit: AUDIT.aarch64, number: 0 })).toBe(ENOSYS);
  // The third architecture of x86 (x32) uses the numbers of the second, with one more bit.
  expect(answer(program, { audit: AUDIT.x86_64, number: 0x40000000 })).toBe(ENOSYS);
  expect(compileFilter('riscv64')).toBeUndefined();
});
