import { expect, it } from 'vitest';
import { growth, LINEAR } from '../../test/testing/growth.ts';
import { safePath } from './safe-path.ts';

it.each([
  ['/v2/library/alpine/manifests/3.20', '/v2/library/alpine/manifests/3.20'],
  ['/v2/a/blobs/uploads/1?_state=secret&digest=sha256:12', '/v2/a/blobs/uploads/1?_state=***&digest=sha256:12'],
  ['/images/token?account=anna&scope=repository:a:pull', '/images/token?account=anna&scope=repository:a:pull'],
  ['/v2/?access_token', '/v2/?***'],
  ['/v2/?a%20b=c', '/v2/?***'],
  ['https://me:secret@host:5000/v2/?ns=quay.io#part', '/v2/?ns=quay.io'],
  ['*', '*'],
  ['/v2/a b"c\\\u2028\u202e', '/v2/a%20b%22c%5C%E2%80%A8%E2%80%AE'],
])('of [%s] is shown [%s]', (url, shown) => {
  expect(safePath(url)).toBe(shown);
});

it('is short, whatever is sent, and costs what its length costs', async () => {
  for (const url of [
    `/${'x'.repeat(60_000)}`,
    `/?${'a=b&'.repeat(15_000)}`,
    `/?n=${'1'.repeat(60_000)}`,
    '"'.repeat(60_000),
  ])
    expect(safePath(url).length).toBeLessThan(2000);
  expect(await growth(16_000, (length) => '/%?&=#:'.repeat(length / 7), safePath)).toBeLessThan(LINEAR);
});
