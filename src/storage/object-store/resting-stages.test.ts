// Stages between two requests: this process goes on with them at once, and others soon.
import { open, readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { eventually } from '../../../test/testing/eventually.ts';
import { ownIdentity } from '../../io/concurrency/process-identity.ts';
import { stagedIn, testDirectory } from '../testing/directories.ts';
import { openFsObjectStore } from './fs-object-store.ts';
import type { ObjectStore } from './object-store.ts';
import { endRests, rest } from './resting-stages.ts';

const RESTS = { rests: true };

async function left(store: ObjectStore, id: string, bytes = 'bytes'): Promise<void> {
  await using stage = await store.stage(id, { ...RESTS, isNew: true });
  await stage?.append(Buffer.from(bytes));
}

const namesIn = async (directory: string) => (await stagedIn(directory)).map((path) => basename(path));
const openFiles = async () => (await readdir('/proc/self/fd')).length;

it('a stage that rests is still this process’s, and any of its stores goes on with it', async () => {
  await using directory = await testDirectory();
  const [store, other] = [openFsObjectStore(directory.path), openFsObjectStore(directory.path)];
  await left(store, 's');
  const [name] = await namesIn(directory.path);
  expect(name).toMatch(/^s~/);
  await using stage = await other.stage('s', { ...RESTS, mustExist: true });
  expect(await namesIn(directory.path)).toEqual([name]);
  await stage?.append(Buffer.from(' and more'));
  await stage?.publish('k');
  expect(await readFile(join(directory.path, 'k'), 'utf8')).toBe('bytes and more');
  expect(await namesIn(directory.path)).toEqual([]);
});

it('is given back after a second', async () => {
  await using directory = await testDirectory();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  await left(openFsObjectStore(directory.path), 's');
  vi.advanceTimersByTime(1000);
  vi.useRealTimers();
  await eventually(async () => (await namesIn(directory.path))[0] === 's');
  expect(await readFile((await stagedIn(directory.path))[0] ?? '', 'utf8')).toBe('bytes');
});

it('is given back before its time for a sweep, and when many others rest', async () => {
  await using directory = await testDirectory();
  const store = openFsObjectStore(directory.path);
  await left(store, 'first');
  expect(await store.sweep({ before: new Date(0) })).toBe(5);
  expect(await namesIn(directory.path)).toEqual(['first']);
  const before = await openFiles();
  for (let at = 0; at < 70; at++) await left(store, `s${at}`);
  await eventually(async () => (await namesIn(directory.path)).includes('s0'));
  expect(await openFiles()).toBeLessThan(before + 70);
  expect(await store.sweep({ before: new Date(Date.now() + 60_000) })).toBe(0);
  expect(await namesIn(directory.path)).toEqual([]);
});

it('is given back even if its file cannot be closed without an error', async () => {
  await using directory = await testDirectory();
  const path = join(directory.path, `s~${ownIdentity()}.1`);
  const handle = await open(path, 'wx');
  const close = handle.close.bind(handle);
  handle.close = async () => {
    await close();
    throw new Error('the quota is used up');
  };
  rest('s', { path, handle });
  await endRests(directory.path);
  expect(await readdir(directory.path)).toEqual(['s']);
});

it('is gone if somebody deletes it meanwhile', async () => {
  await using directory = await testDirectory();
  const store = openFsObjectStore(directory.path);
  await left(store, 's');
  await rm(join(directory.path, 'images'), { recursive: true });
  expect(await store.stage('s', { ...RESTS, mustExist: true })).toBeUndefined();
  await left(store, 's');
  await rm(join(directory.path, 'images'), { recursive: true });
  expect(await store.sweep({ before: new Date(0) })).toBe(0);
});

it('a stage that was published in vain does not rest: its file may have another name by now', async () => {
  await using directory = await testDirectory();
  const store = openFsObjectStore(directory.path);
  await store.put('file', Buffer.from('x'));
  {
    await using stage = await store.stage('s', RESTS);
    await stage?.append(Buffer.from('bytes'));
    await expect(stage?.publish('file/below')).rejects.toThrow();
  }
  expect(await namesIn(directory.path)).toEqual(['s']);
});
