import { execFileSync, spawnSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anyText } from '../../test/testing/any-text.ts';
import { rounds, timeFor } from '../../test/testing/soak.ts';
import type { SparsePiece, TarEntry, TarHeader } from './entry.ts';
import { decodeName, encodeName } from './names.ts';
import { readTar } from './reader.ts';
import { evenly, inChunks, listed } from './testing/listing.ts';
import { endOfArchive, padding, storedSize, type TarInput, tarHeader, writeTar } from './writer.ts';

const PLAIN: TarHeader = {
  name: 'file',
  type: 'file',
  size: 0,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: { seconds: 1_234_567_890, nanoseconds: 0 },
  linkname: '',
  device: { major: 0, minor: 0 },
  xattrs: new Map(),
};

function file(name: string, content: string | Uint8Array, more: Partial<TarHeader> = {}): TarInput {
  return { ...PLAIN, name, size: Buffer.from(content).length, body: once(Buffer.from(content)), ...more };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

async function written(...entries: readonly TarInput[]): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(writeTar(entries)));
}

const BYTES = decodeName(Buffer.from([0x62, 0xff, 0xfe, 0x2e, 0x74]));
/** The stored content of a sparse file. */
const PIECES = Buffer.from(`${'a'.repeat(512)}bcde`);
const LONG_BYTES = `${'m'.repeat(150)}${BYTES}`;
const DEEP = `${Array.from({ length: 12 }, (_, index) => `directory-number-${index}`).join('/')}/file`;

/** Entries that are hard to represent in a header. No devices, because only root could unpack them. */
function oddities(): readonly TarInput[] {
  return [
    { ...PLAIN, name: 'd/', type: 'directory', mode: 0o1777, uid: 5_000_000, gid: 4_294_967_294 },
    file('d/plain', 'hello\n', { mode: 0o4755 }),
    file('d/größe-日本', 'utf-8'),
    file(`d/${BYTES}`, 'no utf-8'),
    file(LONG_BYTES, 'long and no utf-8'),
    file('n'.repeat(150), 'long'),
    file(DEEP, 'deep'),
    { ...PLAIN, name: 'd/soft', type: 'symlink', linkname: 't'.repeat(150) },
    { ...PLAIN, name: 'd/hard', type: 'hardlink', linkname: 'n'.repeat(150) },
    { ...PLAIN, name: 'd/hard-to-bytes', type: 'hardlink', linkname: `d/${BYTES}` },
    { ...PLAIN, name: 'd/pipe', type: 'fifo' },
    file('d/fine', 'f', { mtime: { seconds: 1_234_567_890, nanoseconds: 123_456_789 } }),
    file('d/older', 'o', { mtime: { seconds: -3600, nanoseconds: 0 } }),
    file('d/attributes', 'x', { xattrs: new Map([['user.bytes', Buffer.from([0, 255, 10, 61])]]) }),
    file('d/last', 'last\n'),
  ];
}

/** A negative time with a fraction: GNU tar lists it one second late, and bsdtar reads it so, also from GNU tar's own archives. */
const OLD = (): TarInput => file('d/old', 'o', { mtime: { seconds: -86_400, nanoseconds: 500_000_000 } });

const SPARSE: TarInput = {
  ...PLAIN,
  name: 'd/sparse',
  size: 3_000_000,
  sparse: [
    { offset: 1_000_000, length: 512 },
    { offset: 2_000_000, length: 4 },
  ],
  body: once(PIECES),
};

describe('a header', () => {
  it('is one block where it fits', () => {
    expect(tarHeader(PLAIN)).toHaveLength(512);
    expect(tarHeader({ ...PLAIN, name: `${'p'.repeat(155)}/${'n'.repeat(100)}` })).toHaveLength(512);
    expect(tarHeader({ ...PLAIN, name: 'größe', linkname: BYTES, type: 'symlink' })).toHaveLength(512);
    expect(tarHeader({ ...PLAIN, size: 8 ** 11 - 1, uid: 8 ** 7 - 1 })).toHaveLength(512);
    expect(tarHeader({ ...PLAIN, uid: 8 ** 7 })).toHaveLength(512 * 3);
  });

  it('has the numbers of a device only for a device', () => {
    const device = { major: 5, minor: 1 };
    const link = { ...PLAIN, type: 'hardlink', linkname: 'tty', size: 0 } as const;
    expect(tarHeader({ ...link, device })).toEqual(tarHeader(link));
    const block = { ...PLAIN, type: 'block', size: 0 } as const;
    expect(tarHeader({ ...block, device })).not.toEqual(tarHeader(block));
  });

  it('does not depend on the order of attributes', () => {
    const attributes = [
      ['user.b', Buffer.from('1')],
      ['user.a', Buffer.from('2')],
    ] as const;
    const [one, other] = [attributes, attributes.toReversed()].map((pairs) =>
      tarHeader({ ...PLAIN, xattrs: new Map(pairs) }),
    );
    expect(one).toEqual(other);
  });

  it('is refused with a NUL in a name', () => {
    expect(() => tarHeader({ ...PLAIN, name: 'a\0b' })).toThrow('NUL');
  });

  it('says how big a gigantic file is', async () => {
    const size = 2 ** 45 + 7;
    const bytes = Buffer.concat([tarHeader({ ...PLAIN, size })]);
    for await (const entry of readTar(inChunks(bytes))) {
      expect(entry.size).toBe(size);
      break;
    }
  });
});

describe('an archive', () => {
  it('has the same bytes each time, and ends as it must', async () => {
    const archive = await written(...oddities(), { ...SPARSE, body: once(PIECES) });
    const again = await written(...oddities(), { ...SPARSE, body: once(PIECES) });
    expect(archive.equals(again)).toBe(true);
    expect(archive.length % 512).toBe(0);
    expect(archive.subarray(-1024).equals(endOfArchive())).toBe(true);
    expect([padding(0), padding(1), padding(511), padding(512)].map(({ length }) => length)).toEqual([0, 511, 1, 0]);
  });

  it('is refused where a content is not as long as its header says', async () => {
    for (const size of [2, 4]) {
      await expect(written(file('f', 'abc', { size }))).rejects.toMatchObject({ code: 'TAR_INVALID' });
    }
    await expect(written({ ...PLAIN, size: 1 })).rejects.toMatchObject({ code: 'TAR_INVALID' });
  });

  it('is read as it was written, whatever is in it', { timeout: timeFor(60_000) }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyEntry(), { maxLength: 8 }),
        fc.integer({ min: 1, max: 3000 }),
        async (inputs, size) => {
          const archive = await written(...inputs.map(([header, content]) => ({ ...header, body: once(content) })));
          const read: TarEntry[] = [];
          const contents: Buffer[] = [];
          for await (const entry of readTar(inChunks(archive, size))) {
            read.push(entry);
            contents.push(Buffer.concat(await Array.fromAsync(entry.stored)));
          }
          expect(read.map(headerOf)).toEqual(inputs.map(([header]) => header));
          expect(contents.map((bytes) => bytes.toString('hex'))).toEqual(
            inputs.map(([, content]) => Buffer.from(content).toString('hex')),
          );
          let end = 0;
          for (const { position } of read) {
            expect(position.head).toBe(end);
            end = position.end;
          }
          expect(end).toBe(archive.length - 1024);
        },
      ),
      { numRuns: rounds(100) },
    );
  });
});

function headerOf(entry: TarEntry): TarHeader {
  const { records: _, position: __, body: ___, stored: ____, ...header } = entry;
  return { ...header, xattrs: new Map([...header.xattrs].map(([name, value]) => [name, Uint8Array.from(value)])) };
}

/** Bytes of names: without NUL, and without `/` at the end. */
function anyName(maxLength: number): fc.Arbitrary<string> {
  const text = fc.oneof(
    fc.uint8Array({ min: 1, minLength: 1, maxLength }).map(decodeName),
    anyText({ minLength: 1, maxLength }).map((name) => decodeName(Buffer.from(name))),
    fc.array(fc.stringMatching(/^[a-z]{1,30}$/), { minLength: 1, maxLength: 12 }).map((parts) => parts.join('/')),
  );
  return text.filter((name) => !name.includes('\0') && !name.endsWith('/'));
}

function anyEntry(): fc.Arbitrary<readonly [TarHeader, Uint8Array]> {
  const big = fc.oneof(fc.nat(0o7777777), fc.integer({ min: -10, max: 2 ** 32 }));
  const common = fc.record({
    name: anyName(300),
    mode: fc.nat(0o7777),
    uid: big,
    gid: big,
    mtime: fc.record({
      seconds: fc.oneof(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), fc.nat(2 ** 31 - 1)),
      nanoseconds: fc.oneof(fc.constant(0), fc.nat(999_999_999)),
    }),
    xattrs: fc
      .array(fc.tuple(anyName(30), fc.uint8Array({ maxLength: 100 })), { maxLength: 3 })
      .map((pairs) => new Map(pairs.map(([name, value]) => [`user.${name}`, value]))),
  });
  const number = fc.nat(0o7777777);
  const kind = fc.oneof(
    fc
      .uint8Array({ maxLength: 1500 })
      .map((content) => ({ more: { type: 'file' as const, size: content.length }, content })),
    anySparse(),
    fc
      .tuple(fc.constantFrom('symlink' as const, 'hardlink' as const), anyName(300))
      .map(([type, linkname]) => ({ more: { type, linkname }, content: new Uint8Array() })),
    fc
      .tuple(fc.constantFrom('character' as const, 'block' as const), fc.record({ major: number, minor: number }))
      .map(([type, device]) => ({ more: { type, device }, content: new Uint8Array() })),
    fc
      .constantFrom('directory' as const, 'fifo' as const)
      .map((type) => ({ more: { type }, content: new Uint8Array() })),
  );
  return fc.tuple(common, kind).map(([header, { more, content }]) => [{ ...PLAIN, ...header, ...more }, content]);
}

function anySparse(): fc.Arbitrary<{ readonly more: Partial<TarHeader>; readonly content: Uint8Array }> {
  return fc
    .tuple(fc.array(fc.tuple(fc.nat(2 ** 40), fc.integer({ min: 1, max: 3 })), { maxLength: 60 }), fc.nat(1000))
    .map(([parts, rest]) => {
      const sparse: SparsePiece[] = [];
      let end = 0;
      for (const [hole, blocks] of parts) {
        const length = blocks * 512;
        sparse.push({ offset: end + hole, length });
        end += hole + length;
      }
      const header = { type: 'file' as const, size: end + rest, sparse };
      return { more: header, content: Buffer.alloc(storedSize(header), 'content') };
    });
}

const has = (program: string, ...args: readonly string[]): boolean =>
  spawnSync(program, args.length > 0 ? args : ['--version'], { input: '' }).status === 0;
const IS_GNU = spawnSync('tar', ['--version']).stdout?.toString().includes('GNU tar') ?? false;
const ENVIRONMENT = { ...process.env, TZ: 'UTC', LC_ALL: 'C.UTF-8' };

describe('programs that read our archives', () => {
  let top = '';
  beforeAll(() => {
    top = mkdtempSync(join(tmpdir(), 'images-tar-'));
  });
  afterAll(() => rmSync(top, { recursive: true, force: true }));

  it.skipIf(!IS_GNU)('GNU tar lists all as we do (skipped where it is not installed)', async () => {
    const devices: readonly TarInput[] = [
      { ...PLAIN, name: 'null', type: 'character', device: { major: 1, minor: 3 } },
      { ...PLAIN, name: 'disk', type: 'block', device: { major: 259, minor: 1_048_575 } },
    ];
    const archive = await written(...oddities(), ...devices, { ...SPARSE, body: once(PIECES) });
    const args = ['--full-time', '--numeric-owner', '-tvf', '-'];
    const run = spawnSync('tar', args, { input: archive, env: ENVIRONMENT });
    expect(run.stderr.toString()).toBe('');
    expect(run.stdout.toString().trimEnd().split('\n').map(evenly)).toEqual(await listed(archive));
  });

  const PYTHON = `
import sys, tarfile
archive = tarfile.open(fileobj=sys.stdin.buffer, mode='r|')
archive.extractall(sys.argv[1], filter=lambda member, path: member.replace(uid=None, gid=None, uname=None, gname=None, deep=False))
`;
  const READERS: readonly (readonly [string, boolean, (to: string) => readonly [string, ...string[]]])[] = [
    ['GNU tar', IS_GNU, (to) => ['tar', '--no-same-owner', '-C', to, '-xpf', '-']],
    ['bsdtar', has('bsdtar'), (to) => ['bsdtar', '--no-same-owner', '-C', to, '-xpf', '-']],
    ['busybox', has('busybox', 'true'), (to) => ['busybox', 'tar', '-C', to, '-xopf', '-']],
    ['Python', has('python3'), (to) => ['python3', '-c', PYTHON, to]],
  ];
  for (const [name, isThere, command] of READERS) {
    it.skipIf(!isThere)(`${name} unpacks all as it is (skipped where it is not installed)`, async () => {
      const to = mkdtempSync(join(top, 'unpacked-'));
      // busybox knows neither sparse files nor fractions of seconds; Python's times are floating-point numbers.
      const isSimple = name === 'busybox';
      const digits = isSimple ? 0 : name === 'Python' ? 5 : 9;
      const more = isSimple ? [] : [{ ...SPARSE, body: once(PIECES) }, ...(name === 'bsdtar' ? [] : [OLD()])];
      const [program, ...args] = command(to);
      execFileSync(program, args, { input: await written(...oddities(), ...more), env: ENVIRONMENT, stdio: 'pipe' });
      expect(unpacked(to, digits)).toEqual(expectedOf([...oddities(), ...more], digits));
      if (isSimple) return;
      const content = Buffer.alloc(3_000_000);
      content.fill('a', 1_000_000, 1_000_512);
      content.write('bcde', 2_000_000);
      expect(readFileSync(join(to, 'd/sparse')).equals(content)).toBe(true);
    });
  }
});

/** One line for each entry that is not a directory: name, type, mode, size, time, link target. */
function unpacked(directory: string, digits: number): readonly string[] {
  const names = readdirSync(Buffer.from(directory), { recursive: true, encoding: 'buffer' }).map(decodeName);
  const lines = names.flatMap((name) => {
    const path = Buffer.concat([Buffer.from(`${directory}/`), encodeName(name)]);
    const info = lstatSync(path, { bigint: true });
    if (info.isDirectory()) return [];
    if (info.isSymbolicLink()) return [`${name} -> ${readlinkSync(path)}`];
    return [
      `${name} ${(info.mode & 0o7777n).toString(8)} ${info.isFIFO() ? 0 : info.size} ${roundedTime(info.mtimeNs, digits)}`,
    ];
  });
  return lines.sort();
}

function expectedOf(entries: readonly TarInput[], digits: number): readonly string[] {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const lines = entries.flatMap((entry) => {
    if (entry.type === 'directory') return [];
    if (entry.type === 'symlink') return [`${entry.name} -> ${entry.linkname}`];
    const { mode, size, mtime } = (entry.type === 'hardlink' && byName.get(entry.linkname)) || entry;
    const time = BigInt(mtime.seconds) * 1_000_000_000n + BigInt(mtime.nanoseconds);
    return [`${entry.name} ${mode.toString(8)} ${size} ${roundedTime(time, digits)}`];
  });
  return lines.sort();
}

/** The time in units of the last of `digits` decimals of a second. */
function roundedTime(nanoseconds: bigint, digits: number): bigint {
  return nanoseconds / 10n ** BigInt(9 - digits);
}
