import { expect, it } from 'vitest';
import { lastHeldBack } from './last-held-back.ts';

async function* chunks(texts: readonly string[], failure?: Error) {
  for (const text of texts) yield Buffer.from(text);
  if (failure) throw failure;
}

it('passes all on; of a body that fails, the last chunk does not come', async () => {
  expect(Buffer.concat(await Array.fromAsync(lastHeldBack(chunks(['a', 'bc', '', 'd'])))).toString()).toBe('abcd');
  expect(await Array.fromAsync(lastHeldBack(chunks([])))).toEqual([]);
  const seen: string[] = [];
  const reading = (async () => {
    for await (const chunk of lastHeldBack(chunks(['a', 'bc', ''], new Error('wrong')))) seen.push(`${chunk}`);
  })();
  await expect(reading).rejects.toThrow('wrong');
  expect(seen).toEqual(['a']);
});
