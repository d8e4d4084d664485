import { chmod, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { issuerOf, tokenKey } from './token-key.ts';

it('the key of tokens is one, also if several processes make it at once', async () => {
  await using world = await temporaryWorld();
  const keys = await Promise.all(Array.from({ length: 8 }, () => tokenKey(world.path)));
  expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1);
});

it('a key that others can read, or that is damaged, is not used, and not replaced unasked', async () => {
  await using world = await temporaryWorld();
  const file = join(world.path, 'images/access/key');
  await tokenKey(world.path);
  await chmod(file, 0o640);
  await expect(tokenKey(world.path)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: `others can read the key of tokens [${file}]`,
  });
  await writeFile(file, 'short');
  await chmod(file, 0o600);
  await expect(tokenKey(world.path)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    hint: expect.stringContaining('All tokens end'),
  });
  await rm(file);
  expect(await tokenKey(world.path)).toHaveLength(32);
});

it('the key is for its owner only, and its store is named after it without telling it', async () => {
  await using world = await temporaryWorld();
  const key = await tokenKey(world.path);
  expect((await stat(join(world.path, 'images/access/key'))).mode & 0o777).toBe(0o600);
  expect(issuerOf(key)).toMatch(/^images-[0-9a-f]{16}$/);
  expect(issuerOf(key)).not.toBe(issuerOf(new Uint8Array(32)));
  expect(Buffer.from(key).toString('hex')).not.toContain(issuerOf(key).slice(7));
});
