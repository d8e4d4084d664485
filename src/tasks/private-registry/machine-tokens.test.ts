import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { giveToken, listTokens, recordedTokens, revokeTokens, tokenKey } from './machine-tokens.ts';
import { servedAccess } from './served-access.ts';

const head = (headers = {}) => ({
  method: 'GET',
  url: '/v2/',
  headers: { host: 'h:1', ...headers },
  address: '10.0.0.9',
  isSecure: false,
});
const bearer = (token: string) => head({ authorization: `Bearer ${token}` });

it('a token of a machine is recorded without the token itself, listed, and taken by a registry that runs', async () => {
  await using world = await temporaryWorld();
  const settings = world.settings({}, { data: world.path });
  using access = await servedAccess({ data: world.path, htpasswd: undefined, mayDo: () => true, onNotice: undefined });
  expect(access.hasToLogIn(await access.identify(head()))).toBe(false);
  const { token, id } = await giveToken(
    { name: 'ci', allow: { push: ['ci/**'], pull: ['base/*'] }, days: 2 },
    settings,
  );
  const file = join(world.path, 'images/access/tokens', `${id}.json`);
  expect(await readFile(file, 'utf8')).not.toContain(token);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await listTokens(settings)).toMatchObject([
    {
      id,
      name: 'ci',
      scopes: [
        { repositories: 'base/*', actions: ['pull'] },
        { repositories: 'ci/**', actions: ['pull', 'push'] },
      ],
    },
  ]);
  using later = await servedAccess({ data: world.path, htpasswd: undefined, mayDo: () => true, onNotice: undefined });
  expect(await later.identify(bearer(token))).toMatchObject({ via: 'machine', token: 'ci' });
  expect(later.hasToLogIn(await later.identify(head()))).toBe(true);
});

it('a token that was revoked, by its id or its name, is in no list and not there', async () => {
  await using world = await temporaryWorld();
  const settings = world.settings({}, { data: world.path });
  const request = { name: 'ci', allow: { pull: ['**'] }, days: 1 };
  const [first, second, third] = [
    await giveToken(request, settings),
    await giveToken(request, settings),
    await giveToken({ ...request, name: 'other' }, settings),
  ];
  expect(recordedTokens(world.path).isThere(first.id)).toBe(true);
  expect(await revokeTokens(first.id, settings)).toMatchObject([{ id: first.id }]);
  expect(recordedTokens(world.path).isThere(first.id)).toBe(false);
  expect(recordedTokens(world.path).isThere(`../tokens/${second.id}`)).toBe(false);
  expect(await revokeTokens('ci', settings)).toMatchObject([{ id: second.id }]);
  expect((await listTokens(settings)).map(({ id }) => id)).toEqual([third.id]);
  await expect(revokeTokens('ci', settings)).rejects.toMatchObject({ code: 'USAGE' });
});

it('a token needs something that it may do, a number of days, and a name', async () => {
  await using world = await temporaryWorld();
  const settings = world.settings({}, { data: world.path });
  const given = { name: 'ci', allow: { pull: ['**'] }, days: 1 };
  for (const wrong of [
    { allow: {} },
    { allow: { pull: ['Team'] } },
    { days: 0 },
    { days: 4000 },
    { days: Number.NaN },
    { name: '' },
    { name: 'a\nb' },
  ]) {
    await expect(giveToken({ ...given, ...wrong }, settings)).rejects.toMatchObject({ code: 'USAGE' });
  }
  expect(await readdir(world.path)).toEqual([]);
});

it('the key of tokens is one, also if several processes make it at once', async () => {
  await using world = await temporaryWorld();
  const keys = await Promise.all(Array.from({ length: 8 }, () => tokenKey(world.path)));
  expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1);
});
