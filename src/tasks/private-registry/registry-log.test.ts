import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { MAX_LOG, openLog, removeLog, saidSince } from './registry-log.ts';

/** What a registry does with its log: it is opened, written to, closed. */
async function say(world: TemporaryWorld, text: string): Promise<string> {
  const log = await openLog(world.path);
  writeSync(log.file, text);
  closeSync(log.file);
  return saidSince(log);
}

/** Lets the log grow to this size, without writing that much. */
function grow(path: string, size: number): void {
  const file = openSync(path, 'r+');
  ftruncateSync(file, size);
  closeSync(file);
}

describe('the log of the embedded registry', () => {
  it('is continued by the next registry, which can tell its own part', async () => {
    await using world = await temporaryWorld();
    expect(await say(world, 'first\n')).toBe('first\n');
    expect(await say(world, 'second: ü\n')).toBe('second: ü\n');
    expect(await say(world, '')).toBe('');
    expect(readFileSync(join(world.path, 'images/registry.log'), 'utf8')).toBe('first\nsecond: ü\n');
  });

  it('that has become too large is kept beside the new one; the one before it is not', async () => {
    await using world = await temporaryWorld();
    const path = join(world.path, 'images/registry.log');
    for (const text of ['oldest', 'older', 'new']) {
      expect(await say(world, text)).toBe(text);
      if (text !== 'new') grow(path, MAX_LOG + 1);
    }
    expect((await readdir(join(world.path, 'images'))).sort()).toEqual(['registry.log', 'registry.log.1']);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(readFileSync(`${path}.1`, 'latin1').slice(0, 5)).toBe('older');
    expect((await stat(`${path}.1`)).size).toBe(MAX_LOG + 1);
  });

  it('is continued up to its full size', async () => {
    await using world = await temporaryWorld();
    await say(world, 'first');
    grow(join(world.path, 'images/registry.log'), MAX_LOG);
    await say(world, 'second');
    expect(await readdir(join(world.path, 'images'))).toEqual(['registry.log']);
  });

  it('is removed, and may be gone already', async () => {
    await using world = await temporaryWorld();
    await say(world, 'first');
    removeLog(world.path);
    removeLog(world.path);
    expect(await readdir(join(world.path, 'images'))).toEqual([]);
  });

  it('cannot be opened where nothing can be made: the error names it', async () => {
    await using world = await temporaryWorld();
    await world.file('data', '');
    const path = join(world.path, 'data');
    await expect(openLog(path)).rejects.toThrow('ENOTDIR');
    await expect(openLog('/proc/1/nowhere')).rejects.toThrow();
  });
});
