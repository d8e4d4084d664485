import { execFileSync } from 'node:child_process';
import { open, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { testDirectory } from '../../storage/testing/directories.ts';
import { readAtRest, stateOfFile } from './file-at-rest.ts';

const REST = { restMs: 40 };

it('a file that is being saved in place is read when it is whole', async () => {
  await using directory = await testDirectory();
  const file = join(directory.path, 'a');
  await writeFile(file, 'one\n');
  await using handle = await open(file, 'w');
  const reading = readAtRest(file, REST);
  for (const part of ['two\n', 'three\n', 'four\n']) {
    await handle.write(part);
    await delay(10);
  }
  expect((await reading).text).toBe('two\nthree\nfour\n');
});

it('a file that was renamed away to be written anew is waited for, by who knew it', async () => {
  await using directory = await testDirectory();
  const file = join(directory.path, 'a');
  await writeFile(file, 'one');
  const before = await stateOfFile(file);
  await rename(file, `${file}~`);
  const reading = readAtRest(file, { ...REST, before });
  await delay(10);
  await writeFile(file, 'two');
  expect((await reading).text).toBe('two');
  await rm(file);
  expect(await readAtRest(file, { ...REST, before })).toEqual({ text: undefined, state: 'absent' });
});

it('a file that has rested is read at once, and so is one of a time that lies ahead', async () => {
  await using directory = await testDirectory();
  const file = join(directory.path, 'a');
  await writeFile(file, 'one');
  for (const hours of [-1, 1]) {
    const at = new Date(Date.now() + hours * 3600_000);
    await utimes(file, at, at);
    // A wait of this length would not end.
    expect((await readAtRest(file, { restMs: 3_000_000 })).text).toBe('one');
  }
});

it('a file that never rests is an error', async () => {
  await using directory = await testDirectory();
  const file = join(directory.path, 'a');
  await writeFile(file, '');
  const writing = setInterval(() => void writeFile(file, `${Math.random()}`), 1);
  try {
    await expect(readAtRest(file, { restMs: 8 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  } finally {
    clearInterval(writing);
    await delay(20);
  }
});

it('what is no file, or too large for a configuration, is refused at once', async () => {
  await using directory = await testDirectory();
  const [pipe, large] = [join(directory.path, 'pipe'), join(directory.path, 'large')];
  execFileSync('mkfifo', [pipe]);
  await writeFile(large, '#'.repeat(1024 * 1024 + 1));
  for (const file of [pipe, '/dev/zero']) {
    await expect(readAtRest(file, REST)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: `not a regular file [${file}]`,
    });
  }
  await expect(readAtRest(large, REST)).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
    message: expect.stringContaining('too large for a configuration'),
  });
  expect((await readAtRest('/dev/null', REST)).text).toBe('');
});
