// Attacks on logins: tokens that are made up, old, of others, or for something else. Over real sockets, against a registry with users and rules.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createTokens, type TokenOptions } from '../../access/tokens.ts';
import { revokeTokens } from './machine-tokens.ts';
import { ANNA, type Besieged, BOB, basic, besieged, forgeries, HASHES } from './testing/besieged.ts';
import { issuerOf } from './token-key.ts';

let registry: Besieged;

beforeAll(async () => {
  registry = await besieged();
});
beforeEach(() => registry.restore());
afterAll(() => registry[Symbol.asyncDispose]());

const PATH = '/v2/team/app/manifests/1';
const SCOPE = 'repository:team/app:pull,push,delete';

it('a token that anybody has made up opens nothing, however it is signed', async () => {
  const { tokenFor, statusOf } = registry;
  const { token = '' } = await tokenFor(ANNA, SCOPE);
  expect(await statusOf('GET', PATH, `Bearer ${token}`)).toBe(200);
  for (const [how, forged] of Object.entries(forgeries(token))) {
    expect(await statusOf('GET', PATH, `Bearer ${forged}`), how).toBe(401);
    // Nor what everybody may pull: whoever sends credentials is told that they are wrong.
    expect(await statusOf('GET', '/v2/public/app/manifests/1', `Bearer ${forged}`), how).toBe(401);
    expect(await statusOf('GET', '/v2/', basic('token', forged)), how).toBe(401);
  }
  expect(await statusOf('GET', PATH, `Bearer ${token}`)).toBe(200);
});

it('a token of another store, another service, another time or another password opens nothing', async () => {
  const { key, statusOf } = registry;
  const own = await key();
  const issuer = issuerOf(own);
  const token = async (options: Partial<TokenOptions> = {}) => {
    const all = { key: own, issuer, service: issuer, hashOf: () => HASHES.anna, ...options };
    const scopes = [{ repositories: 'team/app', actions: ['pull'] as const }];
    const { token } = await createTokens(all).access({ holder: { as: 'user', user: 'anna' }, scopes });
    return await statusOf('GET', PATH, `Bearer ${token}`);
  };
  expect(await token()).toBe(200);
  expect(await token({ key: new Uint8Array(32) })).toBe(401);
  expect(await token({ issuer: 'images-0000000000000000' })).toBe(401);
  expect(await token({ service: 'registry.example' })).toBe(401);
  expect(await token({ now: () => Date.now() - 301_000 })).toBe(401);
  expect(await token({ hashOf: () => HASHES.bob })).toBe(401);
});

it('a token of one kind does nothing of another kind', async () => {
  const { tokenFor, call, statusOf, machineToken } = registry;
  const { token = '', refresh_token: refresh = '' } = await tokenFor(ANNA, SCOPE, '&offline_token=true');
  const { token: machine } = await machineToken({ pull: ['team/**'] });
  const renewed = async (refresh_token: string) => {
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token, scope: SCOPE }).toString();
    return (await call('POST', '/images/token', undefined, { body, headers: FORM })).status;
  };
  expect(refresh).not.toBe('');
  expect(await statusOf('GET', PATH, `Bearer ${refresh}`)).toBe(401);
  expect(await statusOf('GET', PATH, basic('token', refresh))).toBe(401);
  expect(await statusOf('GET', PATH, basic('anna', refresh))).toBe(401);
  expect(await statusOf('GET', PATH, basic('token', token))).toBe(401);
  expect([await renewed(refresh), await renewed(token), await renewed(machine)]).toEqual([200, 401, 401]);
  // No token is made of a token without a password.
  expect(await statusOf('GET', `/images/token?scope=${SCOPE}`, `Bearer ${token}`)).toBe(401);
  expect(await statusOf('GET', `/images/token?scope=${SCOPE}`, `Bearer ${machine}`)).toBe(401);
});
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

it('a token does what it is for, and no more than its user may', async () => {
  const { tokenFor, statusOf } = registry;
  const { token: pull = '' } = await tokenFor(ANNA, 'repository:team/app:pull');
  expect(await statusOf('GET', PATH, `Bearer ${pull}`)).toBe(200);
  // Its user may: with another token.
  expect(await statusOf('POST', '/v2/team/app/blobs/uploads/', `Bearer ${pull}`)).toBe(401);
  expect(await statusOf('DELETE', PATH, `Bearer ${pull}`)).toBe(401);
  expect(await statusOf('GET', '/v2/team/other/tags/list', `Bearer ${pull}`)).toBe(401);
  expect(await statusOf('GET', '/v2/own/app/tags/list', `Bearer ${pull}`)).toBe(403);
  // Asked for more than may be given: nothing of that is granted.
  for (const scope of [
    SCOPE,
    'repository:**:*',
    'repository:team/*:pull',
    'repository:own/../team/app:pull',
    'repository:TEAM/app:pull',
    'repository:team%252Fapp:pull',
    'repository(plugin):team/app:pull',
    'repository:docker.io/team/app:pull',
    'repository:own/app:pull%20repository:team/app:pull',
    'repository:own/app:pull&scope=repository:team/app:pull',
    'registry:catalog:*',
  ]) {
    const { token = '' } = await tokenFor(BOB, scope);
    expect(await statusOf('GET', PATH, `Bearer ${token}`), scope).toBe(403);
    expect(await statusOf('GET', '/v2/docker.io/team/app/manifests/1', `Bearer ${token}`), scope).toBe(403);
  }
});

it('a token given to nobody opens what is open to nobody', async () => {
  const { call, statusOf } = registry;
  const { token } = (await call('GET', `/images/token?scope=${SCOPE}&scope=repository:public/app:*`)).json() as {
    token: string;
  };
  expect(await statusOf('GET', '/v2/public/app/manifests/1', `Bearer ${token}`)).toBe(200);
  expect(await statusOf('DELETE', '/v2/public/app/manifests/1', `Bearer ${token}`)).toBe(401);
  expect(await statusOf('GET', PATH, `Bearer ${token}`)).toBe(401);
});

it('all that a password gave ends when it changes, and when its user goes', async () => {
  const { tokenFor, call, statusOf, changeUsers } = registry;
  const kept = async (user: string, password: string) => {
    const { token = '', refresh_token = '' } = await tokenFor(basic(user, password), SCOPE, '&offline_token=true');
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token }).toString();
    return async () => [
      await statusOf('GET', '/v2/', `Bearer ${token}`),
      (await call('POST', '/images/token', undefined, { body, headers: FORM })).status,
      await statusOf('GET', '/v2/', basic(user, password)),
    ];
  };
  const [anna, bob] = [await kept('anna', 'secret'), await kept('bob', 'other')];
  expect([await anna(), await bob()]).toEqual([
    [200, 200, 200],
    [200, 200, 200],
  ]);
  await changeUsers({ anna: HASHES.bob, bob: HASHES.bob });
  expect([await anna(), await bob()]).toEqual([
    [401, 401, 401],
    [200, 200, 200],
  ]);
  await changeUsers({ anna: HASHES.bob });
  expect(await bob()).toEqual([401, 401, 401]);
});

it('the token of a machine does what it says from its first to its last second, or until it is revoked', async () => {
  const { machineToken, statusOf, settings, wait, call } = registry;
  const { token, id } = await machineToken({ pull: ['team/*'] });
  const { token: short } = await machineToken({ pull: ['team/*'] }, 1 / 24);
  for (const sent of [`Bearer ${token}`, basic('token', token)]) {
    expect(await statusOf('GET', PATH, sent)).toBe(200);
    expect(await statusOf('DELETE', PATH, sent)).toBe(403);
    expect(await statusOf('GET', '/v2/own/app/manifests/1', sent)).toBe(403);
    // What everybody may do is not what the token may.
    expect(await statusOf('GET', '/v2/public/app/manifests/1', sent)).toBe(403);
    expect((await call('GET', '/v2/_catalog', sent)).json()).toEqual({ repositories: ['team/app'] });
  }
  const asked = await call('GET', '/images/token?scope=repository:team/app:*', basic('token', token));
  const { token: access } = asked.json() as { token: string };
  expect(await statusOf('GET', PATH, `Bearer ${access}`)).toBe(200);
  await revokeTokens(id, settings);
  wait(2000);
  for (const sent of [`Bearer ${token}`, basic('token', token), `Bearer ${access}`]) {
    expect(await statusOf('GET', PATH, sent)).toBe(401);
  }
  expect(await statusOf('GET', PATH, `Bearer ${short}`)).toBe(200);
  wait(3_600_000);
  expect(await statusOf('GET', PATH, `Bearer ${short}`)).toBe(401);
});
