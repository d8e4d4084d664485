// Archives written by GNU tar, bsdtar, busybox, Python and Go. NAME.txt is GNU tar's listing, with digests of contents and the extended
// attributes as Go reads them.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readTar } from '../../src/tar/reader.ts';
import { inChunks, listedWhole } from '../../src/tar/testing/listing.ts';

const DIRECTORY = join(import.meta.dirname, 'tar');
const NAMES = readdirSync(DIRECTORY)
  .filter((file) => file.endsWith('.tar.gz'))
  .map((file) => file.slice(0, -'.tar.gz'.length));

describe('archives of others', () => {
  it('are all in the repository', () => expect(NAMES).toHaveLength(18));

  it.each(NAMES)('%s has in it what its writer put there', async (name) => {
    const archive = gunzipSync(readFileSync(join(DIRECTORY, `${name}.tar.gz`)));
    const expected = readFileSync(join(DIRECTORY, `${name}.txt`), 'utf8').trimEnd().split('\n');
    for (const size of [512, 700, archive.length]) expect(await listedWhole(archive, size)).toEqual(expected);
  });

  it.each(NAMES)('%s is covered by its entries and its tail', async (name) => {
    const archive = gunzipSync(readFileSync(join(DIRECTORY, `${name}.tar.gz`)));
    const whole = createHash('sha256');
    const tail: Uint8Array[] = [];
    let end = 0;
    for await (const { position } of readTar(inChunks(archive), { tail: (bytes) => tail.push(bytes) })) {
      expect(position.head).toBe(end);
      whole.update(archive.subarray(position.head, position.end));
      end = position.end;
    }
    for (const bytes of tail) whole.update(bytes);
    expect(whole.digest('hex')).toBe(createHash('sha256').update(archive).digest('hex'));
  });
});
