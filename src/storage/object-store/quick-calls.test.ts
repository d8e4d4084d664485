import { mkdir, statfs } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { eventually } from '../../../test/testing/eventually.ts';
import { testDirectory } from '../testing/directories.ts';
import { quickCalls } from './quick-calls.ts';

/** A clock, a disk and a scheduler that the test moves. */
function simulated() {
  const state = { time: 0, read: 0, waited: 0 };
  return {
    state,
    options: { now: () => state.time, readFromDisk: () => state.read, waitedForProcessor: () => state.waited },
    /** A call during which this much passes. */
    call: (taken: number, { read = 0, waited = 0 } = {}) => {
      state.time += taken;
      state.read += read;
      state.waited += waited;
    },
  };
}

/** What was asked before has most likely been answered, too: the thread pool begins in the order of the questions. */
async function lookedAt(directory: string): Promise<void> {
  for (let time = 0; time < 5; time++) await statfs(directory).catch(() => undefined);
}

/** Its file system has been looked at. */
async function ready(directory: string, options: Parameters<typeof quickCalls>[1]) {
  const quick = quickCalls(directory, options);
  await eventually(() => quick.allowed());
  return quick;
}

test('after a call that the kernel answers from memory, others are allowed', async () => {
  await using directory = await testDirectory();
  const { options, call } = simulated();
  const quick = await ready(directory.path, options);
  for (let time = 0; time < 100; time++) quick.run(() => call(0.9));
  expect(quick.allowed()).toBe(true);
});

test('while a disk is slow, its clients wait for a fiftieth of the time at most', async () => {
  await using directory = await testDirectory();
  const { state, options, call } = simulated();
  const quick = await ready(directory.path, options);
  let waited = 0;
  for (; state.time < 100_000; state.time += 1) {
    if (!quick.allowed()) continue;
    const before = state.time;
    quick.run(() => call(10, { read: 1 }));
    waited += state.time - before;
  }
  expect(waited).toBeGreaterThan(0);
  expect(waited).toBeLessThanOrEqual(100_000 / 49);
});

test('waiting for a processor does not count as waiting for the disk', async () => {
  await using directory = await testDirectory();
  const { options, call } = simulated();
  const quick = await ready(directory.path, options);
  quick.run(() => call(2, { read: 1 }));
  expect(quick.allowed()).toBe(false);
  call(1000);
  quick.run(() => call(100, { waited: 95 }));
  expect(quick.allowed()).toBe(true);
});

test('nor does it at the first call, whatever the process has read before', async () => {
  await using directory = await testDirectory();
  const { options, call } = simulated();
  call(0, { read: 7, waited: 50 });
  const quick = await ready(directory.path, options);
  quick.run(() => call(100, { waited: 95 }));
  expect(quick.allowed()).toBe(true);
});

test('a long call without reading counts as waiting for the disk: another process may have locked a folder', async () => {
  await using directory = await testDirectory();
  const { options, call } = simulated();
  const quick = await ready(directory.path, options);
  quick.run(() => call(2, { read: 1 }));
  call(1000);
  quick.run(() => call(100));
  expect(quick.allowed()).toBe(false);
});

test('how long a call may take without reading can be set: the kernel makes writers wait only for some milliseconds', async () => {
  await using directory = await testDirectory();
  const { options, call } = simulated();
  const quick = await ready(directory.path, { ...options, verySlow: 2 });
  quick.run(() => call(2, { read: 1 }));
  call(1000);
  quick.run(() => call(1.9));
  expect(quick.allowed()).toBe(true);
  quick.run(() => call(5, { waited: 4 }));
  expect(quick.allowed()).toBe(true);
  quick.run(() => call(5));
  expect(quick.allowed()).toBe(false);
});

test('a failed call counts as well', async () => {
  await using directory = await testDirectory();
  const { options, call } = simulated();
  const quick = await ready(directory.path, options);
  expect(() =>
    quick.run(() => {
      call(30, { read: 1 });
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(quick.allowed()).toBe(false);
});

test('file systems that are not of this machine are never waited for', async () => {
  const quick = quickCalls('/proc');
  quick.allowed();
  await lookedAt('/proc');
  expect(quick.allowed()).toBe(false);
});

test('a directory that is not there yet is looked at again', async () => {
  await using directory = await testDirectory();
  const { options, call } = simulated();
  const quick = quickCalls(`${directory.path}/later`, options);
  quick.allowed();
  await lookedAt(`${directory.path}/later`);
  expect(quick.allowed()).toBe(false);
  await mkdir(`${directory.path}/later`);
  call(2000);
  await eventually(() => quick.allowed());
});

test('who serves nobody makes all calls at once, however slow the disk is, but on a file system of this machine only', async () => {
  await using directory = await testDirectory();
  const { options, call } = simulated();
  const quick = quickCalls(directory.path, { ...options, alone: true });
  expect([quick.allowed(), quick.allAllowed()]).toEqual([true, true]);
  quick.run(() => call(5000, { read: 1 }));
  expect([quick.allowed(), quick.allAllowed()]).toEqual([true, true]);
  const elsewhere = quickCalls('/proc/self', { alone: true });
  expect([elsewhere.allowed(), elsewhere.allAllowed()]).toEqual([false, false]);
});

test('who serves others never reads content at once', async () => {
  await using directory = await testDirectory();
  const quick = await ready(directory.path, simulated().options);
  expect(quick.allAllowed()).toBe(false);
});
