import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { needs } from '../../../test/peers/find.ts';
import { cacheDirectory } from './cache-directory.ts';

describe('the cache directory', () => {
  const { missing, why } = needs('root');

  async function inHome(work: (home: string) => Promise<void>): Promise<void> {
    const home = await mkdtemp(join(tmpdir(), 'images-cache-'));
    try {
      await work(home);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  }

  it('is in $XDG_CACHE_HOME or the home directory, even if it has yet to be made; without a home there is none', () =>
    inHome(async (home) => {
      expect(cacheDirectory({ HOME: home })).toBe(`${home}/.cache/images`);
      expect(cacheDirectory({ HOME: home, XDG_CACHE_HOME: `${home}/c` })).toBe(`${home}/c/images`);
      expect(cacheDirectory({})).toBeUndefined();
      // /tmp is sticky, so each user's own directories are safe there.
      expect(cacheDirectory({ XDG_CACHE_HOME: '/tmp' })).toBe('/tmp/images');
    }));

  it('is not used if others can write there', () =>
    inHome(async (home) => {
      await mkdir(join(home, '.cache/images'), { recursive: true });
      for (const open of ['.cache', '.cache/images']) {
        await chmod(join(home, open), 0o777);
        expect(cacheDirectory({ HOME: home }), open).toBeUndefined();
        await chmod(join(home, open), 0o755);
      }
      expect(cacheDirectory({ HOME: home })).toBe(`${home}/.cache/images`);
    }));

  it.skipIf(missing)(`is none where it is another user's, as sudo may keep $HOME${why}`, () =>
    inHome(async (home) => {
      await mkdir(join(home, '.cache/images'), { recursive: true });
      for (const foreign of ['.cache', '.cache/images']) {
        await chown(join(home, foreign), 61_001, 61_001);
        expect(cacheDirectory({ HOME: home }), foreign).toBeUndefined();
        await chown(join(home, foreign), 0, 0);
      }
    }),
  );
});
