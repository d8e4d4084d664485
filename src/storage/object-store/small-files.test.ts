// Nothing stale is ever served, whoever writes to the directory and however.
import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { testDirectory } from '../testing/directories.ts';
import { openFsObjectStore } from './fs-object-store.ts';
import { readObject } from './read-object.ts';
import { smallFiles } from './small-files.ts';

/** Longer than a file must be unchanged before it is kept, in milliseconds. */
const SETTLED = 2100;

/** Works as if what was written until now had long been unchanged. */
async function settled<T>(work: () => T | Promise<T>): Promise<T> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + SETTLED });
  try {
    return await work();
  } finally {
    vi.useRealTimers();
  }
}

const WRITES: Readonly<Record<string, (path: string, text: string) => void>> = {
  'in place': (path, text) => writeFileSync(path, text),
  'in place, with its old times': (path, text) => {
    const { atime, mtime } = statSync(path);
    writeFileSync(path, text);
    utimesSync(path, atime, mtime);
  },
  'by a rename': (path, text) => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  },
  'after a removal': (path, text) => {
    rmSync(path);
    writeFileSync(path, text);
  },
};

describe('an object that another process replaces', () => {
  for (const [how, write] of Object.entries(WRITES)) {
    test(`${how} is never seen as it was`, async () => {
      await using directory = await testDirectory();
      const objects = openFsObjectStore(directory.path);
      const path = join(directory.path, 'link');
      writeFileSync(path, 'text-0');
      const read = async () => Buffer.from((await readObject(objects, 'link')) ?? []).toString();
      // Twice, so that the second may be from memory.
      const readTwice = async () => {
        for (let again = 0; again < 2; again++) expect(await read()).toBe(readFileSync(path, 'utf8'));
      };
      for (let time = 1; time < 60; time++) {
        await (time % 10 === 0 ? settled(readTwice) : readTwice());
        write(path, `text-${time % 10}`);
        expect(await read()).toBe(`text-${time % 10}`);
      }
      rmSync(path);
      expect(await readObject(objects, 'link')).toBeUndefined();
    });
  }
});

test('an object that nobody has changed is in the same memory', async () => {
  await using directory = await testDirectory();
  const objects = openFsObjectStore(directory.path);
  await objects.put('a', Buffer.from('1'));
  const first = await settled(() => readObject(objects, 'a'));
  expect(await readObject(objects, 'a')).toBe(first);
  expect(await readObject(objects, 'a')).toEqual(Buffer.from('1'));
  const part = await Array.fromAsync((await objects.get('a', { from: 1 })) ?? []);
  expect(part).toEqual([]);
});

test('what is kept has a limit', async () => {
  await using directory = await testDirectory();
  const path = join(directory.path, 'a');
  writeFileSync(path, 'a');
  utimesSync(path, 0, 0);
  const found = statSync(path);
  const files = smallFiles(10_000);
  await settled(() => {
    for (let at = 0; at < 100; at++) files.keep(`${at}`, found, Buffer.alloc(1000));
  });
  const kept = Array.from({ length: 100 }, (_, at) => files.get(`${at}`, found)).filter(Boolean);
  expect(kept.length).toBe(6);
  expect(files.get('99', found)).toBeDefined();
});
