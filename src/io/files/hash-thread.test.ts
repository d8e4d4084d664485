import { createHash } from 'node:crypto';
import { readdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { fileHasher } from './hash-thread.ts';

const sum = (bytes: Buffer, algorithm = 'sha256') => createHash(algorithm).update(bytes).digest('hex');

it('files are hashed, more than there are threads', async () => {
  await using directory = await temporaryDirectory('hash');
  const contents = [0, 1, 5_000_000, 300_000, 4 * 1024 * 1024].map((size, at) => Buffer.alloc(size, `content ${at}`));
  const hasher = fileHasher(2);
  const hashes = contents.map(async (bytes, at) => {
    const path = join(directory.path, `${at}`);
    await writeFile(path, bytes);
    return await hasher.hash(path, 'sha256');
  });
  expect(await Promise.all(hashes)).toEqual(contents.map((bytes) => sum(bytes)));
  expect(await hasher.hash(join(directory.path, '3'), 'sha512')).toBe(sum(contents[3] as Buffer, 'sha512'));
});

it('the caller sets the pace, and may end it; the thread then hashes another file', async () => {
  await using directory = await temporaryDirectory('hash');
  const path = join(directory.path, 'file');
  const bytes = Buffer.alloc(10_000_000, 'x');
  await writeFile(path, bytes);
  const hasher = fileHasher(1);
  const seen: number[] = [];
  const ended = hasher.hash(path, 'sha256', (count) => {
    seen.push(count);
    return seen.length < 2 ? undefined : Promise.reject(new Error('enough'));
  });
  await expect(ended).rejects.toThrow('enough');
  expect(seen).toEqual([4 * 1024 * 1024, 4 * 1024 * 1024]);
  seen.length = 0;
  const hash = await hasher.hash(path, 'sha256', async (count) => {
    seen.push(count);
  });
  expect([hash, seen.reduce((all, count) => all + count)]).toEqual([sum(bytes), bytes.length]);
  const open = await Promise.all((await readdir('/proc/self/fd')).map((fd) => target(fd)));
  expect(open).not.toContain(path);
});

it('what cannot be read is an error with its code', async () => {
  await using directory = await temporaryDirectory('hash');
  const hasher = fileHasher(1);
  await expect(hasher.hash(join(directory.path, 'absent'), 'sha256')).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(hasher.hash(directory.path, 'sha256')).rejects.toMatchObject({ code: 'EISDIR' });
  await expect(hasher.hash(directory.path, 'none')).rejects.toThrow('Digest method not supported');
});

it('a thread that has ended without work is replaced; one that ends at work is an error, and the next file has another', async () => {
  await using directory = await temporaryDirectory('hash');
  const path = join(directory.path, 'file');
  const bytes = Buffer.alloc(10_000_000, 'x');
  await writeFile(path, bytes);
  const workers: Worker[] = [];
  const onWorker = (worker: Worker) => void workers.push(worker);
  process.on('worker', onWorker);
  onTestFinished(() => void process.off('worker', onWorker));
  const hasher = fileHasher(1);
  expect(await hasher.hash(path, 'sha256')).toBe(sum(bytes));
  await workers[0]?.terminate();
  expect(await hasher.hash(path, 'sha256')).toBe(sum(bytes));
  const ended = hasher.hash(path, 'sha256', async () => void (await workers[1]?.terminate()));
  const waiting = hasher.hash(path, 'sha256');
  await expect(ended).rejects.toThrow('a thread that hashes files has ended');
  expect(await waiting).toBe(sum(bytes));
  expect(workers).toHaveLength(3);
});

async function target(fd: string): Promise<string> {
  return await readlink(`/proc/self/fd/${fd}`).catch(() => '');
}

it('if no thread can be started in place of one that has ended, nobody waits for ever', async () => {
  let starts = 0;
  const dying = {
    ask: async () => Promise.reject(new Error('it has ended')),
    tell: () => undefined,
    isOver: () => true,
    end: () => undefined,
  };
  const hasher = fileHasher(1, () => {
    starts += 1;
    if (starts > 1) throw new Error('no room for a thread');
    return dying;
  });
  const hashes = ['a', 'b', 'c'].map((path) => hasher.hash(path, 'sha256').catch((error: Error) => error.message));
  expect(await Promise.all(hashes)).toEqual(['it has ended', 'no room for a thread', 'no room for a thread']);
  await expect(hasher.hash('d', 'sha256')).rejects.toThrow('no room for a thread');
});
