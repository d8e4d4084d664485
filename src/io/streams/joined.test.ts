import { expect, it } from 'vitest';
import { joined } from './joined.ts';

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

it('joins all chunks', async () => {
  expect(await joined(chunks('a', 'bc', 'd'))).toEqual(Buffer.from('abcd'));
  expect(await joined(chunks())).toEqual(Buffer.alloc(0));
});

it('gives a single chunk in its own memory', async () => {
  const chunk = Buffer.from('small');
  const one = async function* () {
    yield chunk;
  };
  expect(await joined(one())).toBe(chunk);
});

it('throws what the stream throws', async () => {
  const broken = async function* () {
    yield Buffer.from('a');
    throw new Error('broken off');
  };
  await expect(joined(broken())).rejects.toThrow('broken off');
});
