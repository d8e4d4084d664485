import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isImagesError } from '../oci/errors.ts';
import type { TarEntry } from './entry.ts';
import { readTar } from './reader.ts';
import { inChunks, listedWhole } from './testing/listing.ts';
import { paxContent, type RawBlock, rawArchive, rawEntry } from './testing/raw-archive.ts';

async function entries(...blocks: readonly RawBlock[]): Promise<readonly TarEntry[]> {
  return Array.fromAsync(readTar(inChunks(rawArchive(...blocks))));
}

async function only(...blocks: readonly RawBlock[]): Promise<TarEntry> {
  const [entry, ...more] = await entries(...blocks);
  expect(more).toEqual([]);
  return entry as TarEntry;
}

const refused = (code = 'TAR_INVALID'): object => expect.objectContaining({ code });
const pax = (...records: readonly (readonly [string, string | Uint8Array])[]): RawBlock => ({
  typeflag: 'x',
  content: paxContent(records),
});

describe('types of entries', () => {
  it.each([
    ['0', 'file'],
    ['\0', 'file'],
    ['7', 'file'],
    ['Z', 'file'],
    ['1', 'hardlink'],
    ['2', 'symlink'],
    ['3', 'character'],
    ['4', 'block'],
    ['5', 'directory'],
    ['6', 'fifo'],
  ])('%j is a %s', async (typeflag, type) => {
    expect(await only({ typeflag })).toMatchObject({ name: 'name', type });
  });

  it('are directories where an old name ends like one', async () => {
    expect(await only({ typeflag: '\0', name: 'dir/', magic: '' })).toMatchObject({ name: 'dir/', type: 'directory' });
  });

  it('have no content where they are directories of an old archive that says a size', async () => {
    const old = (name: string) => ({ typeflag: '\0', name, magic: '' as const, size: 600 });
    const named = [
      { typeflag: 'x', content: paxContent([['path', 'long/']]) },
      { typeflag: '\0', size: 600 },
    ];
    const read = await entries(old('first/'), old('second/'), ...named, { name: 'third', content: '3' });
    expect(read.map(({ name, type, size }) => [name, type, size])).toEqual([
      ['first/', 'directory', 0],
      ['second/', 'directory', 0],
      ['long/', 'directory', 0],
      ['third', 'file', 1],
    ]);
  });

  it('pass over labels of volumes, and over names in dumped directories', async () => {
    const names = Buffer.from('Yfile\0\0');
    const read = await entries({ typeflag: 'V', name: 'Backup' }, { typeflag: 'D', name: 'd/', content: names }, {});
    expect(read.map(({ name, type, size }) => [name, type, size])).toEqual([
      ['d/', 'directory', 0],
      ['name', 'file', 0],
    ]);
  });

  it('refuse the rest of a file that another volume begins', async () => {
    await expect(entries({ typeflag: 'M' })).rejects.toEqual(refused());
  });

  it('have no content where they are links, devices or directories, whatever their size says', async () => {
    const links = ['1', '2', '3', '4', '5', '6'].map((typeflag) => ({ typeflag, size: 600 }));
    const read = await entries(...links, { content: 'x' });
    expect(read.map(({ size }) => size)).toEqual([0, 0, 0, 0, 0, 0, 1]);
    expect((await entries(pax(['size', '600']), { typeflag: '1' }, {})).map(({ size }) => size)).toEqual([0, 0]);
  });
});

describe('headers', () => {
  it('begin a name with their prefix: ustar, star, and GNU as Go once wrote it', async () => {
    const prefix = { 345: 'prefix' };
    expect((await only({ patch: prefix })).name).toBe('prefix/name');
    expect((await only({ patch: { ...prefix, 476: '00000000000 00000000000 ', 508: 'tar\0' } })).name).toBe(
      'prefix/name',
    );
    expect((await only({ patch: prefix, magic: 'ustar  \0' })).name).toBe('prefix/name');
  });

  it('have times in the place of a prefix if they are of GNU tar, and nothing if they are older', async () => {
    const times = { 345: '12345670123\x0012345670123\0' };
    expect((await only({ patch: times, magic: 'ustar  \0' })).name).toBe('name');
    const binary = { 345: Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]) };
    expect((await only({ patch: binary, magic: 'ustar  \0' })).name).toBe('name');
    expect((await only({ patch: { 345: 'prefix' }, magic: '' })).name).toBe('name');
  });

  it('hold numbers in octal, with blanks and without end, and in binary, below zero too', async () => {
    const octal = { 100: '  755 \0\0', 108: '12345670', 116: '\0\0\0\0\0\0\0\0', 136: '77777777777\0' };
    expect(await only({ patch: octal })).toMatchObject({
      mode: 0o755,
      uid: 0o12345670,
      gid: 0,
      mtime: { seconds: 0o77777777777, nanoseconds: 0 },
    });
    const binary = {
      108: Buffer.from([0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]),
      116: Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]),
      136: Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xae, 0x80]),
    };
    expect(await only({ patch: binary })).toMatchObject({
      uid: 0xffffffff,
      gid: -2,
      mtime: { seconds: -86_400, nanoseconds: 0 },
    });
  });

  it('may have a checksum of signed bytes', async () => {
    expect((await only({ name: 'höre', isSumSigned: true })).name).toBe('höre');
  });

  it('name devices only where there is one', async () => {
    const numbers = { 329: '0000010\x000000002\0' };
    expect((await only({ typeflag: '3', patch: numbers })).device).toEqual({ major: 8, minor: 2 });
    expect((await only({ typeflag: '4', patch: numbers, magic: 'ustar  \0' })).device).toEqual({ major: 8, minor: 2 });
    expect((await only({ patch: numbers })).device).toEqual({ major: 0, minor: 0 });
  });
});

describe('extended headers', () => {
  it('say names, owners, sizes and times', async () => {
    const records = pax(
      ['path', 'pâth'],
      ['uid', '4294967294'],
      ['gid', '3000000'],
      ['mtime', '-1.25'],
      ['size', '3'],
      ['comment', 'no one reads this'],
    );
    expect(await only(records, { size: 0, content: 'abc' })).toMatchObject({
      name: 'pâth',
      uid: 4_294_967_294,
      gid: 3_000_000,
      size: 3,
      mtime: { seconds: -2, nanoseconds: 750_000_000 },
    });
    expect(await only(pax(['linkpath', 'to']), { typeflag: '2' })).toMatchObject({ linkname: 'to' });
    expect(await only({ ...pax(['path', 'solaris']), typeflag: 'X' }, {})).toMatchObject({ name: 'solaris' });
  });

  it('say nothing with an empty value', async () => {
    expect((await only(pax(['path', ''], ['uid', '']), {})).name).toBe('name');
  });

  it('hold names that are no UTF-8', async () => {
    const [entry] = await entries(pax(['hdrcharset', 'BINARY'], ['path', Buffer.from([0x61, 0xe9, 0x62])]), {});
    expect(entry?.name).toBe('a\udce9b');
    expect((await only({ name: Buffer.from([0x61, 0xe9, 0x62]) })).name).toBe('a\udce9b');
  });

  it('hold extended attributes, of star and of libarchive', async () => {
    const value = Buffer.from([0, 255, 10]);
    const { xattrs } = await only(
      pax(
        ['SCHILY.xattr.security.capability', value],
        ['LIBARCHIVE.xattr.user.a%3Db', value.toString('base64')],
        ['LIBARCHIVE.xattr.user.both', 'AAAA'],
        ['SCHILY.xattr.user.both', 'star'],
      ),
      {},
    );
    expect([...xattrs].map(([name, bytes]) => [name, Buffer.from(bytes)])).toEqual([
      ['security.capability', value],
      ['user.a=b', value],
      ['user.both', Buffer.from('star')],
    ]);
  });

  it('apply to one entry; global ones are ignored, as in container engines', async () => {
    const global = { ...pax(['path', 'global'], ['uid', '7']), typeflag: 'g' };
    const read = await entries(global, pax(['path', 'first']), {}, {});
    expect(read.map(({ name, uid }) => [name, uid])).toEqual([
      ['first', 0],
      ['name', 0],
    ]);
  });

  it('of GNU hold long names, and win over those of pax', async () => {
    const long = { typeflag: 'L', content: `${'l'.repeat(300)}\0` };
    const link = { typeflag: 'K', content: `${'k'.repeat(300)}\0` };
    const entry = await only(long, pax(['path', 'pax']), link, { typeflag: '2' });
    expect(entry).toMatchObject({ name: 'l'.repeat(300), linkname: 'k'.repeat(300) });
  });

  it.each([
    ['no length', 'path=x\n'],
    ['a length beyond the end', '99 path=x\n'],
    ['a length of nothing', '0 path=x\n'],
    ['a length without end', `${'1'.repeat(40)} path=x\n`],
    ['no line end', '9 path=x '],
    ['no key', '6 =xy\n'],
    ['a NUL in a key', '10 pa\0h=x\n'],
  ])('are refused with %s', async (_, content) => {
    await expect(entries({ typeflag: 'x', content }, {})).rejects.toEqual(refused());
  });

  it.each([
    ['path', 'a\0b'],
    ['linkpath', 'a\0b'],
    ['uid', 'root'],
    ['uid', '99999999999999999999'],
    ['size', '-1'],
    ['size', '1e3'],
    ['mtime', 'yesterday'],
  ])('are refused with the %s %j', async (key, value) => {
    await expect(entries(pax([key, value]), { typeflag: key === 'linkpath' ? '2' : '0' })).rejects.toEqual(refused());
  });

  it('are refused where they are gigantic, or too many', async () => {
    for (const typeflag of ['x', 'g', 'L', 'K', 'V']) {
      await expect(entries({ typeflag, size: 2 ** 31 })).rejects.toEqual(refused());
    }
    const one = rawEntry({ typeflag: 'g', content: paxContent([['comment', 'x'.repeat(500_000)]]) });
    const many = Buffer.concat(Array.from({ length: 40 }, () => one));
    await expect(Array.fromAsync(readTar(inChunks(many)))).rejects.toEqual(refused());
  });
});

describe('sparse files', () => {
  const ONE_ZERO = [
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.name', 'real'],
    ['GNU.sparse.realsize', '1000'],
  ] as const;
  const withMap = (map: string, content: string): RawBlock => ({ content: map.padEnd(512, '\0') + content });

  it('of GNU 1.0 have their map before their content', async () => {
    const map = '2\n10\n3\n500\n2\n';
    const archive = rawArchive(pax(...ONE_ZERO), withMap(map, 'abcde'), { name: 'next' });
    for await (const entry of readTar(inChunks(archive))) {
      if (entry.name === 'next') continue;
      expect(entry).toMatchObject({
        name: 'real',
        size: 1000,
        sparse: [
          { offset: 10, length: 3 },
          { offset: 500, length: 2 },
        ],
        position: { head: 0, body: 2048, end: 2560 },
      });
      const expected = Buffer.alloc(1000);
      expected.write('abc', 10);
      expected.write('de', 500);
      expect(Buffer.concat(await Array.fromAsync(entry.body)).equals(expected)).toBe(true);
    }
    const stored: string[] = [];
    for await (const entry of readTar(inChunks(archive))) {
      stored.push(Buffer.concat(await Array.fromAsync(entry.stored)).toString());
    }
    expect(stored).toEqual(['abcde', '']);
  });

  it('of GNU 0.0 and 0.1 have it in their header', async () => {
    const size = ['GNU.sparse.size', '100'] as const;
    const repeated = [
      ['GNU.sparse.offset', '4'],
      ['GNU.sparse.numbytes', '2'],
      ['GNU.sparse.offset', '50'],
      ['GNU.sparse.numbytes', '1'],
    ] as const;
    const expected = [
      { offset: 4, length: 2 },
      { offset: 50, length: 1 },
    ];
    const first = await only(pax(size, ...repeated), { content: 'abc' });
    expect(first).toMatchObject({ name: 'name', size: 100, sparse: expected });
    const second = pax(size, ['GNU.sparse.map', '4,2,50,1'], ['GNU.sparse.name', 'real']);
    expect(await only(second, { content: 'abc' })).toMatchObject({ name: 'real', size: 100, sparse: expected });
  });

  it('of old GNU have it in their header and in blocks after it', async () => {
    const number = (value: number): string => `${value.toString(8).padStart(11, '0')}\0`;
    const four = [0, 1000, 2000, 3000].map((offset) => number(offset) + number(1)).join('');
    const more = Buffer.alloc(512);
    more.write(number(4000) + number(1), 0, 'latin1');
    const header = rawEntry({
      typeflag: 'S',
      size: 5,
      magic: 'ustar  \0',
      patch: { 386: four, 482: '\x01', 483: number(5000) },
    });
    const archive = Buffer.concat([header, more, Buffer.from('abcde'.padEnd(512, '\0')), Buffer.alloc(1024)]);
    const [entry] = await Array.fromAsync(readTar(inChunks(archive)));
    expect(entry).toMatchObject({ size: 5000, position: { head: 0, body: 1024, end: 1536 } });
    expect(entry?.sparse).toHaveLength(5);
  });

  it.each([
    ['in no order', '2\n500\n2\n10\n3\n'],
    ['over each other', '2\n10\n3\n12\n2\n'],
    ['beyond the end', '1\n999\n5\n'],
    ['of other lengths than there is content', '1\n10\n4\n'],
    ['without numbers', '1\nten\n5\n'],
    ['of a number that is none', '1\n-10\n5\n'],
    ['that breaks off', '3\n1\n1\n'],
    ['without end', '999999999999\n'],
    ['of nothing', '\n\n'],
  ])('are refused with pieces %s', async (_, map) => {
    await expect(entries(pax(...ONE_ZERO), withMap(map, 'abcde'))).rejects.toEqual(refused());
  });

  it('are refused with a gigantic map, and in unknown formats', async () => {
    const map = `90000000\n${'1\n0\n'.repeat(600_000)}`;
    await expect(entries(pax(...ONE_ZERO), { content: map })).rejects.toEqual(refused());
    const [, ...rest] = ONE_ZERO;
    await expect(entries(pax(['GNU.sparse.major', '2'], ...rest), {})).rejects.toEqual(refused());
    await expect(entries(pax(['GNU.sparse.map', '0,1']), { content: 'a' })).rejects.toEqual(refused());
  });
});

describe('an archive', () => {
  const blocks: readonly RawBlock[] = [
    { typeflag: 'g', content: paxContent([['comment', 'global']]) },
    pax(['path', 'first']),
    { content: 'a'.repeat(700) },
    { name: 'empty' },
    { typeflag: 'V', name: 'label' },
    { name: 'last', content: 'b'.repeat(512) },
  ];

  it('consists of its entries and its tail, without a gap', async () => {
    const archive = Buffer.concat([rawArchive(...blocks), Buffer.alloc(300), Buffer.from('something else')]);
    for (const size of [1, 511, 700, archive.length]) {
      const tail: Uint8Array[] = [];
      const positions: TarEntry['position'][] = [];
      for await (const { position } of readTar(inChunks(archive, size), { tail: (bytes) => tail.push(bytes) })) {
        positions.push(position);
      }
      expect(positions).toEqual([
        { head: 0, body: 2560, end: 3584 },
        { head: 3584, body: 4096, end: 4096 },
        { head: 4096, body: 5120, end: 5632 },
      ]);
      expect(Buffer.concat(tail).equals(archive.subarray(5632))).toBe(true);
    }
  });

  it('has headers that no entry follows as its tail', async () => {
    const archive = rawArchive({ typeflag: 'g', content: paxContent([['comment', 'of an empty tree']]) });
    const tail: Uint8Array[] = [];
    expect(await Array.fromAsync(readTar(inChunks(archive), { tail: (bytes) => tail.push(bytes) }))).toEqual([]);
    expect(Buffer.concat(tail).equals(archive)).toBe(true);
  });

  it('is not read beyond its end without a tail', async () => {
    let isClosed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield rawArchive({});
        throw new Error('read on');
      } finally {
        isClosed = true;
      }
    }
    expect(await Array.fromAsync(readTar(source()))).toHaveLength(1);
    expect(isClosed).toBe(true);
  });

  it('may end with one block of zeros, with none, and without the padding of its last entry', async () => {
    const whole = rawArchive({ content: 'abc' });
    for (const length of [1536, 1024, 515, 700]) {
      expect(await listedWhole(whole.subarray(0, length))).toHaveLength(1);
    }
  });

  it('is refused where it breaks off', async () => {
    const whole = rawArchive(pax(['path', 'x'.repeat(600)]), { content: 'abc' });
    for (const length of [100, 512, 600, 1024, 1536, 1700, 2048, 2050]) {
      await expect(listedWhole(whole.subarray(0, length)), `${length}`).rejects.toEqual(refused());
    }
  });

  it('is refused where it is none, or a sum is wrong', async () => {
    await expect(listedWhole(Buffer.from('something else '.repeat(100)))).rejects.toEqual(refused());
    const archive = rawArchive({});
    archive[0] = 0x4e;
    await expect(listedWhole(archive)).rejects.toEqual(refused());
  });

  it('can be read while contents are skipped, read in part, or read whole', async () => {
    for (const taken of [0, 1, 2]) {
      const names: string[] = [];
      for await (const entry of readTar(inChunks(rawArchive(...blocks), 100))) {
        names.push(entry.name);
        let count = 0;
        if (taken > 0) for await (const _ of entry.body) if (++count === taken) break;
      }
      expect(names).toEqual(['first', 'empty', 'last']);
    }
  });

  it('gives no content of an entry after the next one was asked for', async () => {
    const read = await entries(...blocks);
    await expect(Array.fromAsync(read[0]?.body ?? [])).rejects.toThrow('before the next entry');
  });

  it('is read or TAR_INVALID, whatever is changed in it', async () => {
    const number = (value: number): string => `${value.toString(8).padStart(11, '0')}\0`;
    const archive = rawArchive(
      ...blocks,
      { typeflag: 'L', content: 'long\0' },
      { typeflag: 'S', content: 'ab', magic: 'ustar  \0', patch: { 386: number(3) + number(2), 483: number(10) } },
      pax(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0'], ['GNU.sparse.realsize', '10'], ['mtime', '1.5']),
      { content: `1\n3\n2\n${'\0'.repeat(505)}ab` },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(archive.length - 1), fc.nat(255)), { maxLength: 20 }),
        fc.boolean(),
        async (changes, isSumRight) => {
          const broken = Buffer.from(archive);
          for (const [at, value] of changes) broken[at] = value;
          if (isSumRight) for (const [at] of changes) sumUp(broken, at - (at % 512));
          await listedBounded(broken).catch((error: unknown) =>
            expect(isImagesError(error, 'TAR_INVALID'), `${error}`).toBe(true),
          );
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('the content of an entry', () => {
  it('is given at once if it is in memory, only once, and not after the next entry was asked for', async () => {
    const archive = rawArchive({ content: 'x'.repeat(1000) }, { name: 'next', content: 'y' });
    const told: (string | undefined)[] = [];
    let first: TarEntry | undefined;
    for await (const entry of readTar(inChunks(archive, 4000))) {
      first ??= entry;
      told.push(entry.stored.whole()?.toString());
      expect(await Array.fromAsync(entry.stored)).toEqual([]);
      expect(entry.stored.whole()).toBe(undefined);
    }
    expect(told).toEqual(['x'.repeat(1000), 'y']);
    expect(first?.stored.whole()).toBe(undefined);
    for await (const entry of readTar(inChunks(archive, 700))) {
      if (entry.name === 'next') continue;
      expect(entry.stored.whole()).toBe(undefined);
      expect(Buffer.concat(await Array.fromAsync(entry.stored)).length).toBe(1000);
    }
  });
});

/** Reads only stored bytes, because a changed header may describe a sparse file of many gigabytes. */
async function listedBounded(archive: Uint8Array): Promise<void> {
  for await (const { stored } of readTar(inChunks(archive))) for await (const _ of stored);
}

/** Corrects the checksum of a changed header, which would otherwise be refused for that alone. */
function sumUp(archive: Buffer, at: number): void {
  if (archive.toString('latin1', at + 257, at + 262) !== 'ustar') return;
  archive.fill(' ', at + 148, at + 156);
  const sum = archive.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  archive.write(sum.toString(8).padStart(6, '0'), at + 148, 'latin1');
}
