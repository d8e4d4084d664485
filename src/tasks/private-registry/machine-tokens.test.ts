import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { giveToken, listTokens, recordedTokens, revokeTokens } from './machine-tokens.ts';
import { registryNeighbours } from './neighbours.ts';
import { servedAccess } from './served-access.ts';

const head = (headers = {}) => ({
  method: 'GET',
  url: '/v2/',
  headers: { host: 'h:1', ...headers },
  address: '10.0.0.9',
  isSecure: false,
});
const ID = '01234567-89ab-4cde-8f01-23456789abcd';
const neighbours = registryNeighbours(() => ({}), undefined);
const served = (data: string) =>
  servedAccess({ data, htpasswd: undefined, mayDo: () => true, neighbours, onNotice: undefined });
const bearer = (token: string) => head({ authorization: `Bearer ${token}` });

it('a token of a machine is recorded without the token itself, listed, and taken by a registry that runs', async () => {
  await using world = await temporaryWorld();
  const settings = world.settings({}, { data: world.path });
  using access = await served(world.path);
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
  using later = await served(world.path);
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

it('what lies beside the records is no token, and a damaged record is listed to be revoked', async () => {
  await using world = await temporaryWorld();
  const settings = world.settings({}, { data: world.path });
  const tokens = join(world.path, 'images/access/tokens');
  await mkdir(join(tokens, 'folder.json'), { recursive: true });
  for (const name of ['.DS_Store', `.${ID}.json.${ID}`, ID, `${ID}.json.json`, 'x.json']) {
    await writeFile(join(tokens, name), '{');
  }
  expect(recordedTokens(world.path).any()).toBe(false);
  expect(await listTokens(settings)).toEqual([]);
  const record = { id: ID, name: 'ci', scopes: [], expires: 1 };
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{}',
    JSON.stringify({ ...record, expires: 1e300 }),
    JSON.stringify({ ...record, scopes: 'all' }),
    JSON.stringify({ ...record, name: 7 }),
  ]) {
    await writeFile(join(tokens, `${ID}.json`), text);
    expect(recordedTokens(world.path).isThere(ID)).toBe(true);
    expect(await listTokens(settings), text).toEqual([{ ...record, name: 'damaged record', expires: 0 }]);
  }
  // The name of the file counts, by which it is taken.
  await writeFile(join(tokens, `${ID}.json`), JSON.stringify({ ...record, id: 'other' }));
  expect(await listTokens(settings)).toEqual([record]);
  await revokeTokens(ID, settings);
  expect(recordedTokens(world.path).any()).toBe(false);
});

it('a folder of tokens that cannot be looked at is told once, and what was there before holds', async () => {
  await using world = await temporaryWorld();
  const access = join(world.path, 'images/access');
  await mkdir(access, { recursive: true });
  await symlink('tokens', join(access, 'tokens'));
  const notices: string[] = [];
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const recorded = recordedTokens(world.path, (text) => notices.push(text));
  expect(recorded.any()).toBe(false);
  vi.advanceTimersByTime(2000);
  expect(recorded.isThere(ID)).toBe(false);
  expect(notices).toEqual([expect.stringContaining('ELOOP')]);
  await rm(join(access, 'tokens'));
  await mkdir(join(access, 'tokens'));
  await writeFile(join(access, 'tokens', `${ID}.json`), '{}');
  vi.advanceTimersByTime(2000);
  expect(recorded.isThere(ID)).toBe(true);
});

it('a registry that was started before there were tokens, and cannot take them, says so and goes on', async () => {
  await using world = await temporaryWorld();
  const settings = world.settings({}, { data: world.path });
  const notices: string[] = [];
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const options = {
    data: world.path,
    htpasswd: undefined,
    mayDo: () => true,
    neighbours,
    onNotice: (text: string) => void notices.push(text),
  };
  using access = await servedAccess(options);
  const { token } = await giveToken({ name: 'ci', allow: { pull: ['**'] }, days: 1 }, settings);
  await chmod(join(world.path, 'images/access/key'), 0o644);
  vi.advanceTimersByTime(2000);
  for (let request = 0; request < 3; request++) {
    expect(await access.identify(bearer(token))).toEqual({ via: 'nobody', address: '10.0.0.9' });
  }
  expect(notices).toEqual([expect.stringMatching(/^tokens of machines are not taken: others can read .*chmod 600/)]);
  await expect(servedAccess(options)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});
