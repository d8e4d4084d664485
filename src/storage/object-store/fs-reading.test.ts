// What is read without the thread pool: what was written a moment ago, as long as that is allowed.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { joined } from '../../io/streams/joined.ts';
import { testDirectory } from '../testing/directories.ts';
import { fsReading } from './fs-reading.ts';

function counted(isAllowed: boolean) {
  const seen = { calls: 0 };
  const run = <T>(call: () => T): T => {
    seen.calls++;
    return call();
  };
  return { seen, quick: { allowed: () => isAllowed, allAllowed: () => false, run } };
}

it('a small file that was written a moment ago is read at once; a large one is not', async () => {
  await using directory = await testDirectory();
  const text = 'x'.repeat(100_000);
  for (const [size, allowed, calls] of [
    [10, true, 2],
    [100_000, true, 1],
    [10, false, 0],
  ] as const) {
    const path = join(directory.path, `${size}`);
    await writeFile(path, text.slice(0, size));
    const { seen, quick } = counted(allowed);
    const reading = fsReading(quick);
    const content = async (range?: { from: number; to: number }) => {
      const body = await reading.content(path, range);
      return body && Buffer.from(await joined(body)).toString();
    };
    expect(await content()).toBe(text.slice(0, size));
    expect(seen.calls).toBe(calls);
    expect(await content({ from: 2, to: 5 })).toBe('xxx');
    await writeFile(path, 'other');
    expect(await content()).toBe('other');
  }
});

it('what is no file has no content', async () => {
  await using directory = await testDirectory();
  for (const allowed of [true, false]) {
    const reading = fsReading(counted(allowed).quick);
    expect(await reading.content(directory.path, undefined)).toBeUndefined();
    expect(await reading.content(join(directory.path, 'none'), undefined)).toBeUndefined();
  }
});
