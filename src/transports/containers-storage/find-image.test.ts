import { describe, expect, it } from 'vitest';
import { findStoredImage } from './find-image.ts';
import { parseStorageDetails } from './storage-location.ts';
import type { StoredImage } from './store-records.ts';

const hex = (digit: string) => digit.repeat(64);
const image = (id: string, names: readonly string[], data: StoredImage['data'] = {}): StoredImage => ({
  id: id.padEnd(64, '0'),
  digest: `sha256:${id.padEnd(64, 'f')}`,
  names,
  data,
});
const images = [
  image('abc1', ['docker.io/library/alpine:3.20', 'docker.io/library/alpine:latest']),
  image('abc2', ['quay.io/calico/node:v3'], { [`manifest-sha256:${hex('9')}`]: `sha256:${hex('9')}` }),
  image('d', ['localhost/made:1']),
  image('e', ['docker.io/library/made:2', 'localhost/made:2']),
  image('f1', ['a.example/x/tool:latest']),
  image('f2', ['b.example/x/tool:latest']),
  image('cafe', []),
];

function find(text: string): string {
  const wanted = parseStorageDetails(text, (why) => {
    throw new Error(why);
  });
  return findStoredImage(images, wanted, '/store').id.replace(/0+$/, '');
}

describe('an image of a store', () => {
  it.each([
    ['docker.io/library/alpine:3.20', 'abc1'],
    ['alpine:3.20', 'abc1'],
    ['alpine', 'abc1'],
    ['made:1', 'd'],
    ['localhost/made:1', 'd'],
    ['made:2', 'e'],
    ['calico/node:v3', 'abc2'],
    [`quay.io/calico/node@sha256:${hex('9')}`, 'abc2'],
    [`quay.io/calico/node@sha256:${'abc2'.padEnd(64, 'f')}`, 'abc2'],
    ['cafe', 'cafe'],
    ['@cafe', 'cafe'],
    ['abc2'.padEnd(64, '0'), 'abc2'],
    ['alpine@abc1', 'abc1'],
  ])('is found by %s', (text, id) => {
    expect(find(text)).toBe(id);
  });

  it.each(['alpine:3.21', 'quay.io/alpine:3.20', '@99', 'alpine@abc2', `x@sha256:${hex('8')}`])(
    'is not found by %s',
    (text) => {
      expect(() => find(text)).toThrowError(expect.objectContaining({ code: 'MANIFEST_UNKNOWN' }));
    },
  );

  it.each(['x/tool', '@abc', '@f'])('must be the only one that %s may mean', (text) => {
    expect(() => find(text)).toThrowError(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
  });

  it('that is not there is an error that lists those that are', () => {
    const hint = expect.stringContaining('/store has docker.io/library/alpine:3.20');
    expect(() => find('nothing')).toThrowError(expect.objectContaining({ hint }));
  });
});
