import { expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { oneChunk } from './one-chunk.ts';
import { stoppable } from './stoppable.ts';
import { verified, verifies } from './verify.ts';

it('a stream ends with the signal, at the next chunk, and is closed', async () => {
  const end = new AbortController();
  let isClosed = false;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.of(1);
    } finally {
      isClosed = true;
    }
  }
  let taken = 0;
  const reading = async () => {
    for await (const _ of stoppable(chunks(), end.signal)) if (++taken === 3) end.abort(new Error('enough'));
  };
  await expect(reading()).rejects.toThrow('enough');
  expect([taken, isClosed]).toEqual([3, true]);
});

it('a stream with a signal still counts as verified; without a signal it is the same stream', () => {
  const bytes = Buffer.from('content');
  const expected = { digest: digestOf(bytes), size: bytes.length };
  const body = verified(oneChunk(bytes), expected);
  expect(stoppable(body, undefined)).toBe(body);
  expect(verifies(stoppable(body, new AbortController().signal), expected)).toBe(true);
});
