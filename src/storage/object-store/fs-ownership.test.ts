import { spawnSync } from 'node:child_process';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ownIdentity } from '../../io/concurrency/process-identity.ts';
import { testDirectory } from '../testing/directories.ts';
import { releaseStage, takeStage } from './fs-ownership.ts';

const taking = { mustExist: false, signal: undefined };

/** The name of a stage whose owner, a process, has ended. */
function deadName(id: string): string {
  const { pid } = spawnSync('true');
  const [, start, boot] = ownIdentity().split('.');
  return `${id}~${pid}.${start}.${boot}.1`;
}

describe('the owner of a stage', () => {
  it('is one of many that come at once, and each has its turn with the same bytes', async () => {
    await using directory = await testDirectory();
    let owners = 0;
    const work = async () => {
      const owned = await takeStage(directory.path, 'id', taking);
      if (!owned) throw new Error('not taken');
      owners += 1;
      expect(owners).toBe(1);
      await owned.handle.write('x', (await owned.handle.stat()).size);
      await owned.handle.close();
      await delay(2);
      owners -= 1;
      await releaseStage(directory.path, 'id', owned.path);
    };
    await Promise.all(Array.from({ length: 10 }, work));
    expect(await readdir(directory.path)).toEqual(['id']);
    expect(await readFile(join(directory.path, 'id'), 'utf8')).toHaveLength(10);
  });

  it('that died is replaced by one of many', async () => {
    await using directory = await testDirectory();
    await writeFile(join(directory.path, deadName('id')), 'left');
    const given = new AbortController();
    const signal = given.signal;
    const takers = Array.from({ length: 8 }, () => takeStage(directory.path, 'id', { mustExist: true, signal }));
    // The others give up once one has it, and each has looked again.
    await Promise.any(takers);
    await delay(100);
    given.abort();
    const heirs = (await Promise.allSettled(takers)).filter((taker) => taker.status === 'fulfilled');
    expect(heirs).toHaveLength(1);
    expect(await heirs[0]?.value?.handle.readFile('utf8')).toBe('left');
    await heirs[0]?.value?.handle.close();
  });

  it('is not replaced while it lives', async () => {
    await using directory = await testDirectory();
    const owned = await takeStage(directory.path, 'id', taking);
    const take = () => takeStage(directory.path, 'id', { mustExist: true, signal: AbortSignal.timeout(100) });
    await expect(take()).rejects.toThrow('timeout');
    await owned?.handle.close();
    await rename(owned?.path ?? '', join(directory.path, 'published'));
    expect(await take()).toBeUndefined();
  });

  it('of one id is not taken for that of an id which begins the same', async () => {
    await using directory = await testDirectory();
    const one = await takeStage(directory.path, 'id', taking);
    const other = await takeStage(directory.path, 'id2', taking);
    expect(other).toBeDefined();
    await one?.handle.close();
    await other?.handle.close();
  });
});
