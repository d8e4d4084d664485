import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownIdentity } from '../concurrency/process-identity.ts';
import { acquireLock, lockHolder, tryLock } from './lock.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'images-lock-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** Writes the claim of a process that has ended. */
async function deadClaim(path: string): Promise<void> {
  const { pid } = spawnSync('true');
  const [, start, boot] = ownIdentity().split('.');
  await writeFile(`${path}.${pid}.${start}.${boot}.1`, '');
}

/** Takes the lock eight times at once. Returns the largest number of holders at one time. */
async function mostHolders(path: string): Promise<number> {
  let holders = 0;
  let most = 0;
  const hold = async () => {
    await using _lock = await acquireLock(path);
    holders += 1;
    most = Math.max(most, holders);
    await delay(3);
    holders -= 1;
  };
  await Promise.all(Array.from({ length: 8 }, hold));
  return most;
}

describe('a lock', () => {
  it('is had by one at a time', async () => {
    const path = join(directory, 'deep/lock');
    expect(await mostHolders(path)).toBe(1);
    expect(await readdir(join(directory, 'deep'))).toEqual([]);
  });

  it('names its owner, if the owner’s process lives', async () => {
    const path = join(directory, 'deep/lock');
    expect(await lockHolder(path)).toBeUndefined();
    const lock = await acquireLock(path);
    expect(await lockHolder(path)).toBe(ownIdentity());
    await lock[Symbol.asyncDispose]();
    expect(await lockHolder(path)).toBeUndefined();
    await deadClaim(path);
    expect(await lockHolder(path)).toBeUndefined();
  });

  it('is not taken by a caller that does not wait while another holds it', async () => {
    const path = join(directory, 'lock');
    const lock = await acquireLock(path);
    expect(await tryLock(path)).toBeUndefined();
    await lock[Symbol.asyncDispose]();
    await using again = await tryLock(path);
    expect(again).toBeDefined();
  });

  it('is taken over from a dead owner by one of many', async () => {
    const path = join(directory, 'lock');
    await deadClaim(path);
    expect(await mostHolders(path)).toBe(1);
    expect(await readdir(directory)).toEqual([]);
  });

  it('is independent of a lock whose name begins the same', async () => {
    await using _one = await acquireLock(join(directory, 'lock'));
    await using other = await tryLock(join(directory, 'lock2'));
    expect(other).toBeDefined();
  });

  it('is no longer waited for when that is aborted', async () => {
    await using _lock = await acquireLock(join(directory, 'lock'));
    const controller = new AbortController();
    const waiting = acquireLock(join(directory, 'lock'), { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(await readdir(directory)).toHaveLength(1);
  });
});
