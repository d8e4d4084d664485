import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hashPassword } from '../../access/password-hash.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { registryNeighbours } from './neighbours.ts';
import { servedAccess } from './served-access.ts';

const neighbours = registryNeighbours(() => ({}), undefined);

const head = (headers = {}) => ({
  method: 'GET',
  url: '/v2/',
  headers: { host: 'h:1', ...headers },
  address: '127.0.0.1',
  isSecure: false,
});
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

it('users of the named file log in; the key of tokens is made once, for the owner to read', async () => {
  await using world = await temporaryWorld();
  const htpasswd = await world.file('users', `anna:${await hashPassword('one')}\n`);
  const options = { data: world.path, htpasswd, mayDo: () => true, neighbours, onNotice: undefined };
  using access = await servedAccess(options);
  expect(await access.identify(head(basic('anna:one')))).toMatchObject({ user: 'anna' });
  expect(access.hasToLogIn(await access.identify(head()))).toBe(true);
  const key = join(world.path, 'images/access/key');
  expect((await stat(key)).mode & 0o777).toBe(0o600);
  const before = await readFile(key);
  using _again = await servedAccess(options);
  expect(await readFile(key)).toEqual(before);
});

it('without a file of users nobody logs in, and no key is made', async () => {
  await using world = await temporaryWorld();
  using access = await servedAccess({
    data: world.path,
    htpasswd: undefined,
    mayDo: () => true,
    neighbours,
    onNotice: undefined,
  });
  expect(await access.identify(head(basic('anna:one')))).toEqual({ via: 'nobody', address: '127.0.0.1' });
  await expect(stat(join(world.path, 'images'))).rejects.toMatchObject({ code: 'ENOENT' });
});

it('a file of users that is missing or broken ends the start, with its name', async () => {
  await using world = await temporaryWorld();
  const broken = await world.file('users', 'anna:plain\n');
  for (const htpasswd of [broken, join(world.path, 'none')]) {
    await expect(
      servedAccess({ data: world.path, htpasswd, mayDo: () => true, neighbours, onNotice: undefined }),
    ).rejects.toThrow(htpasswd);
  }
});
