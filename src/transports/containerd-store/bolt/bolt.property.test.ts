// A database that is written is read as it was, whatever is in it; and one that is damaged is refused or read, never more.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isImagesError } from '../../../oci/errors.ts';
import { type BoltBucket, isBoltBucket } from './bolt-format.ts';
import { readBolt } from './read-bolt.ts';
import { writeBolt } from './write-bolt.ts';

const bytes = (most: number) => fc.uint8Array({ minLength: 1, maxLength: most });

const buckets = fc.letrec<{ bucket: BoltBucket; value: Uint8Array | BoltBucket }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ minLength: 900, maxLength: 9000 }),
    tie('bucket'),
  ),
  bucket: fc.record({
    sequence: fc.nat(),
    entries: fc.uniqueArray(fc.record({ key: bytes(60), value: tie('value') }), {
      maxLength: 60,
      selector: ({ key }) => Buffer.from(key).toString('hex'),
    }),
  }),
})).bucket;

/** The same bucket as plain data, in the order of the keys. */
function plain({ sequence = 0, entries }: BoltBucket): unknown {
  return [
    sequence,
    entries
      .toSorted((a, b) => Buffer.compare(a.key, b.key))
      .map(({ key, value }) => [
        Buffer.from(key).toString('hex'),
        isBoltBucket(value) ? plain(value) : Buffer.from(value).toString('hex'),
      ]),
  ];
}

const many = (count: number, size: number): BoltBucket => ({
  entries: Array.from({ length: count }, (_, at) => ({
    key: Buffer.from(`key ${at}`.padStart(12)),
    value: Buffer.alloc(size, at),
  })),
});

/** A bucket within a page: `count` keys, each the end of the one before it, and all with the same bytes for a bucket, `depth` times. */
function sharing(count: number, depth: number): Buffer {
  const keys = Buffer.from(Array.from({ length: count }, (_, at) => at + 1));
  const value = depth === 0 ? Buffer.alloc(0) : sharing(count, depth - 1);
  const header = Buffer.alloc(16 + 16 + 16 * count);
  header.writeUInt16LE(2, 16 + 8);
  header.writeUInt16LE(count, 16 + 10);
  for (let at = 0; at < count; at++) {
    const element = 32 + 16 * at;
    const fields = [depth === 0 ? 0 : 1, header.length + at - element, count - at, value.length];
    for (const [field, number] of fields.entries()) header.writeUInt32LE(number, element + 4 * field);
  }
  return Buffer.concat([header, keys, value]);
}

describe('a database', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(buckets, (bucket) => {
        expect(plain(readBolt(writeBolt(bucket)))).toEqual(plain(bucket));
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['nothing', { entries: [] }],
    ['one key', many(1, 3)],
    ['two large values', many(2, 5000)],
    ['three levels of pages', many(9000, 60)],
    ['an empty bucket', { entries: [{ key: Buffer.from('a'), value: { entries: [] } }] }],
    ['a bucket of pages within one', { entries: [{ key: Buffer.from('a'), value: many(300, 100) }] }],
  ] as const)('holds %s', (_, bucket: BoltBucket) => {
    const file = writeBolt(bucket);
    expect(file.length % 4096).toBe(0);
    expect(plain(readBolt(file))).toEqual(plain(bucket));
  });

  it('does not depend on the order in which its keys are given', () => {
    const bucket = many(500, 20);
    expect(writeBolt({ entries: bucket.entries.toReversed() })).toEqual(writeBolt(bucket));
  });

  it('takes no key that is empty, and none twice', () => {
    const one = { key: Buffer.from('a'), value: Buffer.from('b') };
    expect(() => writeBolt({ entries: [{ ...one, key: Buffer.alloc(0) }] })).toThrow('empty');
    expect(() => writeBolt({ entries: [one, one] })).toThrow('twice');
  });

  it('is read with one of its meta pages', () => {
    const file = Buffer.from(writeBolt(many(40, 30)));
    for (const at of [0, 4096]) {
      const damaged = Buffer.from(file);
      damaged.fill(0, at, at + 100);
      expect(plain(readBolt(damaged))).toEqual(plain(many(40, 30)));
    }
    file.fill(0, 0, 8192);
    expect(() => readBolt(file)).toThrow('no valid meta page');
  });

  it('that ends early or turns in a circle is refused', () => {
    const file = Buffer.from(writeBolt(many(9000, 60)));
    expect(() => readBolt(file.subarray(0, file.length - 4096))).toThrow('ends early');
    const root = Number(file.readBigUInt64LE(16 + 16));
    file.writeBigUInt64LE(BigInt(root), root * 4096 + 16 + 8);
    expect(() => readBolt(file)).toThrow('used twice');
  });

  it('whose buckets share their bytes is refused, however many they would be', () => {
    const made = writeBolt({ entries: [{ key: Buffer.from('a'), value: sharing(60, 12) }] });
    // What is a value for the writer is a bucket for the reader.
    const root = Number(Buffer.from(made).readBigUInt64LE(16 + 16));
    made[root * 4096 + 16] = 1;
    expect(() => readBolt(made)).toThrow('more keys than room');
  });

  it('that is damaged anywhere is read or refused', () => {
    const file = writeBolt({ entries: [...many(200, 40).entries, { key: Buffer.from('z'), value: many(20, 10) }] });
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.nat(255), (at, byte) => {
        const damaged = Buffer.from(file);
        damaged[at] = byte;
        try {
          readBolt(damaged);
        } catch (error) {
          expect(isImagesError(error, 'TAR_INVALID'), String(error)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
