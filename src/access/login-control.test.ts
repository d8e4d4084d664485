// Logging in as clients do, against passwords in a file, and as attackers do.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Bytes } from '../io/streams/bytes.ts';
import { startBcryptThread } from './bcrypt-thread.ts';
import type { Asker, RequestHead } from './contract.ts';
import { type AccessControlOptions, accessControlWith } from './login-control.ts';
import { ownerProof } from './owner-proof.ts';
import { type AccessRule, mayDo } from './rules.ts';
import { createTokens } from './tokens.ts';

const KEY = new Uint8Array(32).fill(9);
const HASHES = { anna: hashSync('secret', 4), bob: hashSync('other', 4) };
const RULES: readonly AccessRule[] = [
  { repositories: 'free/**', allow: ['pull'] },
  { repositories: 'team/**', users: ['anna'], allow: ['pull', 'push'] },
];
const ANNA = basic('anna', 'secret');
const isLoopback = (address: string) => address === '127.0.0.1';
const HERE = { isLocal: (address: string) => address === '10.0.0.1', isNear: () => true, isTrustedProxy: () => false };
const NEIGHBOURS = { isLocal: isLoopback, isNear: isLoopback, isTrustedProxy: isLoopback };

/** One for all tests: to start a thread takes longer than what it is asked. */
const THREAD = startBcryptThread();
const sharedThread = () => ({ compare: THREAD.compare, [Symbol.dispose]: () => undefined });
afterAll(() => THREAD[Symbol.dispose]());

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly json: Readonly<Record<string, unknown>> & { readonly token: string; readonly refresh_token: string };
}

async function scene(options: Partial<AccessControlOptions> & { readonly hasUsers?: boolean } = {}) {
  const { hasUsers = true, ...more } = options;
  const directory = await mkdtemp(join(tmpdir(), 'logins-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, 'users');
  await writeFile(
    file,
    Object.entries(HASHES)
      .map(([user, hash]) => `${user}:${hash}\n`)
      .join(''),
  );
  const clock = { ms: 1_700_000_000_000 };
  const control = await accessControlWith(sharedThread, {
    mayDo: (asker, action, repository) => mayDo({ rules: RULES }, asker, action, repository),
    key: KEY,
    issuer: 'store-1',
    neighbours: NEIGHBOURS,
    now: () => clock.ms,
    ...(hasUsers && { htpasswd: { file } }),
    ...more,
  });
  onTestFinished(() => control[Symbol.dispose]());

  const head = (headers: IncomingHttpHeaders, url = '/v2/', method = 'GET'): RequestHead => ({
    method,
    url,
    headers: { host: 'reg:5000', ...headers },
    address: '10.0.0.1',
    isSecure: false,
  });
  const identify = async (authorization?: string): Promise<Asker> =>
    await control.identify(head(authorization === undefined ? {} : { authorization }));
  const refusal = (authorization: string): Promise<string> =>
    identify(authorization).then(
      ({ via }) => via,
      ({ code }) => code,
    );
  const answerOf = async (asked: RequestHead, body: Bytes = bytesOf('')): Promise<Answered> => {
    const {
      status,
      headers = {},
      body: text,
    } = (await control.endpoint?.(asked, body)) ?? { status: 0, body: Buffer.from('{}') };
    return { status, headers, json: JSON.parse(Buffer.from(text).toString()) };
  };
  return {
    file,
    clock,
    control,
    head,
    identify,
    refusal,
    get: (query: string, authorization?: string) =>
      answerOf(head(authorization === undefined ? {} : { authorization }, `/images/token${query}`)),
    post: (form: Readonly<Record<string, string>>, type = 'application/x-www-form-urlencoded') =>
      answerOf(head({ 'content-type': type }, '/images/token', 'POST'), bytesOf(new URLSearchParams(form).toString())),
    answerOf,
  };
}

async function* bytesOf(text: string): Bytes {
  yield Buffer.from(text);
}

async function machineToken(scopes: AccessRule['allow'], repositories: string): Promise<string> {
  const tokens = createTokens({ key: KEY, issuer: 'store-1', service: 'store-1', hashOf: () => undefined });
  return await tokens.machine({
    id: 'id-1',
    name: 'ci',
    scopes: [{ repositories, actions: scopes }],
    expires: 1_700_000_000_000 + 3_600_000,
  });
}

const MACHINES = { isThere: (id: string) => id === 'id-1' };

describe('who asks', () => {
  it('is nobody, a user with the right password, or refused', async () => {
    const { identify, refusal, control, head } = await scene();
    expect(await identify()).toEqual({ via: 'nobody', address: '10.0.0.1' });
    expect(await identify(ANNA)).toEqual({ via: 'password', user: 'anna', address: '10.0.0.1' });
    // Remembered: no promise.
    expect(control.identify(head({ authorization: ANNA }))).toMatchObject({ user: 'anna' });
    for (const wrong of [
      basic('anna', 'other'),
      basic('ANNA', 'secret'),
      basic('eve', 'secret'),
      'Digest x',
      'Bearer x',
    ]) {
      expect(await refusal(wrong), wrong).not.toBe('password');
    }
  });

  it('is the owner by a proof of the secret of the store, on this machine, and by nothing like it', async () => {
    const owner = { secret: 'a-very-secret-text', registry: '1.2.3' };
    const { refusal, clock, control, head } = await scene({ owner, neighbours: HERE });
    const proof = ownerProof(owner, clock.ms);
    expect(await refusal(`Bearer ${proof}`)).toBe('owner');
    for (const wrong of [owner.secret, `${proof}1`, proof.slice(0, -1), '', 'undefined']) {
      expect(await refusal(`Bearer ${wrong}`)).toBe('UNAUTHORIZED');
    }
    expect(await refusal(basic('anna', proof))).toBe('UNAUTHORIZED');
    const elsewhere = { ...head({ authorization: `Bearer ${proof}` }), address: '10.0.0.2' };
    await expect(control.identify(elsewhere)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    // A proxy on this machine passes on what others have sent.
    const passedOn = head({ authorization: `Bearer ${proof}`, 'x-forwarded-for': '10.0.0.2' });
    await expect(control.identify(passedOn)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    clock.ms += 600_000;
    expect(await refusal(`Bearer ${proof}`)).toBe('UNAUTHORIZED');
  });

  it('is a machine by its token, alone or as a password, until that is revoked', async () => {
    const ids = new Set(['id-1']);
    const { identify, refusal } = await scene({ machineTokens: { isThere: (id) => ids.has(id) } });
    const token = await machineToken(['pull'], 'team/*');
    const machine = {
      via: 'machine',
      token: 'ci',
      address: '10.0.0.1',
      scopes: [{ repositories: 'team/*', actions: ['pull'] }],
    };
    expect(await identify(`Bearer ${token}`)).toEqual(machine);
    expect(await identify(basic('token', token))).toEqual(machine);
    expect(await refusal(basic('anna', token))).toBe('UNAUTHORIZED');
    ids.clear();
    expect(await refusal(`Bearer ${token}`)).toBe('UNAUTHORIZED');
    expect(await refusal(basic('token', token))).toBe('UNAUTHORIZED');
  });

  it('has to log in unless it has, or has a token for nobody', async () => {
    const { control, identify, get } = await scene();
    expect(control.hasToLogIn(await identify())).toBe(true);
    expect(control.hasToLogIn(await identify(ANNA))).toBe(false);
    const { json } = await get('');
    expect(control.hasToLogIn(await identify(`Bearer ${json.token}`))).toBe(false);
  });

  it('is asked no more when a password changes, within a second', async () => {
    const { file, clock, refusal, get, post } = await scene();
    const { json } = await get('?offline_token=true', ANNA);
    await writeFile(file, `anna:${hashSync('new', 4)}\n`);
    clock.ms += 1000;
    expect(await refusal(ANNA)).toBe('UNAUTHORIZED');
    expect(await refusal(`Bearer ${json.token}`)).toBe('UNAUTHORIZED');
    expect(await post({ grant_type: 'refresh_token', refresh_token: json.refresh_token })).toMatchObject({
      status: 401,
    });
    expect(await refusal(basic('anna', 'new'))).toBe('password');
  });

  it('is slowed by wrong passwords, at the end-point for tokens, too', async () => {
    const { refusal, get } = await scene();
    for (let guess = 0; guess < 3; guess++) await refusal(basic('anna', `${guess}`));
    expect(await refusal(basic('anna', 'secret'))).toBe('TOOMANYREQUESTS');
    expect(await get('', ANNA)).toMatchObject({ status: 429, headers: { 'Retry-After': '1' } });
  });
});

describe('who was refused', () => {
  it('is named for the audit only if there is such a user: what else is typed there may be a password', async () => {
    const { control, head } = await scene();
    const unknown = (authorization?: string) =>
      control.unknown?.(head(authorization === undefined ? {} : { authorization }));
    expect(unknown(basic('anna', 'wrong'))).toEqual({ address: '10.0.0.1', tried: 'anna' });
    for (const other of [undefined, basic('my-password', 'x'), basic('token', 'x'), 'Bearer x', 'Basic %', '']) {
      expect(unknown(other), other).toEqual({ address: '10.0.0.1' });
    }
  });

  it('is named by the end-point for tokens, too, whichever way the password came', async () => {
    const { control, head } = await scene();
    const form = (username: string) =>
      control.endpoint?.(
        head({ 'content-type': 'application/x-www-form-urlencoded' }, '/images/token', 'POST'),
        bytesOf(new URLSearchParams({ grant_type: 'password', username, password: 'wrong' }).toString()),
      );
    expect(await form('anna')).toMatchObject({ status: 401, tried: 'anna' });
    expect(await form('my-password')).not.toHaveProperty('tried');
    const asked = head({ authorization: basic('bob', 'wrong') }, '/images/token');
    expect(await control.endpoint?.(asked, bytesOf(''))).toMatchObject({ status: 401, tried: 'bob' });
  });
});

describe('behind a trusted proxy', () => {
  const from = (forwarded: string | undefined, authorization?: string): RequestHead => ({
    method: 'GET',
    url: '/images/token?scope=repository:lab/app:push',
    headers: {
      host: 'inner:5000',
      ...(forwarded !== undefined && {
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'reg.example',
        'x-forwarded-for': forwarded,
      }),
      ...(authorization !== undefined && { authorization }),
    },
    address: '127.0.0.1',
    isSecure: false,
  });

  it('the address of the client counts, for rules and for wrong passwords', async () => {
    const { control, answerOf } = await scene({ mayDo: ({ address }) => address === '127.0.0.1' });
    expect(await control.identify(from('10.9.9.9'))).toMatchObject({ address: '10.9.9.9' });
    expect((await answerOf(from('10.9.9.9'))).json).toMatchObject({ scope: '' });
    expect((await answerOf(from(undefined))).json).toMatchObject({ scope: 'repository:lab/app:push' });
    // A proxy that hides its client.
    const hidden = from(undefined);
    expect((await answerOf({ ...hidden, headers: { ...hidden.headers, via: '1.1 a' } })).json).toMatchObject({
      scope: '',
    });
    for (let guess = 0; guess < 3; guess++) {
      expect(await answerOf(from('10.9.9.9', basic(`user-${guess}`, 'guess')))).toMatchObject({ status: 401 });
    }
    expect(await answerOf(from('10.9.9.9', ANNA))).toMatchObject({ status: 429 });
    expect(await answerOf(from('10.9.9.8', ANNA))).toMatchObject({ status: 200 });
  });

  it('the challenge names the address of the proxy', async () => {
    const { control } = await scene();
    expect(control.challenge(from('10.9.9.9'), undefined)).toContain('realm="https://reg.example/images/token"');
    expect(control.challenge(from(undefined), undefined)).toContain('"http://inner:5000/');
    expect(control.challenge({ ...from('10.9.9.9'), address: '10.0.0.1' }, undefined)).toMatch(/^Basic /);
  });
});

describe('where nobody can log in', () => {
  it('credentials are ignored, as by other registries, but for those of the owner', async () => {
    const owner = { secret: 'secret', registry: '1.2.3' };
    const { control, identify, answerOf, head, clock } = await scene({ hasUsers: false, owner, neighbours: HERE });
    for (const sent of [ANNA, 'Bearer x', 'Digest x', ''])
      expect(await identify(sent)).toMatchObject({ via: 'nobody' });
    expect(await identify(`Bearer ${ownerProof(owner, clock.ms)}`)).toMatchObject({ via: 'owner' });
    expect(control.hasToLogIn(await identify())).toBe(false);
    expect(control.challenge(head({}), 'repository:a:pull')).toBeUndefined();
    expect(await answerOf(head({}, '/images/token'))).toMatchObject({ status: 0 });
  });

  it('machines can, as soon as they have tokens', async () => {
    let has = false;
    const machineTokens = { ...MACHINES, any: () => has };
    const { control, refusal, identify, head } = await scene({ hasUsers: false, machineTokens });
    const token = await machineToken(['pull'], '**');
    expect(control.challenge(head({}), undefined)).toBeUndefined();
    expect(await refusal(`Bearer ${token}`)).toBe('nobody');
    has = true;
    expect(control.challenge(head({}), undefined)).toContain('Bearer realm="http://reg:5000/images/token"');
    expect(control.hasToLogIn(await identify())).toBe(true);
    expect(await refusal(`Bearer ${token}`)).toBe('machine');
    expect(await refusal(ANNA)).toBe('UNAUTHORIZED');
  });
});

it('a service whose name cannot stand in a challenge is a mistake of the program', async () => {
  await expect(scene({ service: 'a"b' })).rejects.toThrow('service');
});

describe('a token is given', () => {
  it('to a user, for what the user may do, and never to be kept', async () => {
    const { get, identify, control } = await scene();
    const query = '?service=store-1&scope=repository:team/app:pull,push,delete&scope=repository:x:pull&account=anna';
    const { status, headers, json } = await get(query, ANNA);
    expect({ status, headers }).toMatchObject({ status: 200, headers: { 'Cache-Control': 'no-store' } });
    expect(json).toEqual({
      token: json.token,
      access_token: json.token,
      token_type: 'Bearer',
      expires_in: 300,
      issued_at: '2023-11-14T22:13:20.000Z',
      scope: 'repository:team/app:pull,push',
    });
    const asker = await identify(`Bearer ${json.token}`);
    expect(asker).toMatchObject({ via: 'token', user: 'anna' });
    expect(['team/app', 'team/other', 'free/app'].map((name) => control.mayDo(asker, 'pull', name))).toEqual([
      true,
      false,
      false,
    ]);
    expect(control.mayDo(asker, 'delete', 'team/app')).toBe(false);
  });

  it('to nobody, for what nobody may pull', async () => {
    const { get, identify, control } = await scene();
    const { status, json } = await get(
      '?scope=repository:free/app:pull,push+repository:team/app:pull&offline_token=true',
    );
    expect({ status, ...json }).toMatchObject({ status: 200, scope: 'repository:free/app:pull' });
    expect(json.refresh_token).toBeUndefined();
    const asker = await identify(`Bearer ${json.token}`);
    expect(asker).toMatchObject({ via: 'nobody' });
    expect(['free/app', 'team/app'].map((name) => control.mayDo(asker, 'pull', name))).toEqual([true, false]);
  });

  it('to a user who wants to stay, to be renewed without the password', async () => {
    const { get, post, refusal } = await scene();
    for (const asked of [
      await get('?offline_token=true', ANNA),
      await post({ grant_type: 'password', username: 'anna', password: 'secret', access_type: 'offline' }),
    ]) {
      const { refresh_token } = asked.json;
      const renewed = await post({
        grant_type: 'refresh_token',
        refresh_token,
        scope: 'repository:team/a:pull',
        access_type: 'offline',
      });
      expect(renewed).toMatchObject({ status: 200, json: { scope: 'repository:team/a:pull' } });
      // One that was stolen ends some day.
      expect(renewed.json.refresh_token).toBeUndefined();
      expect(await refusal(`Bearer ${renewed.json.token}`)).toBe('token');
      expect(await refusal(`Bearer ${refresh_token}`)).toBe('UNAUTHORIZED');
      expect(await refusal(basic('token', refresh_token))).toBe('UNAUTHORIZED');
      expect(await post({ grant_type: 'refresh_token', refresh_token: renewed.json.token })).toMatchObject({
        status: 401,
      });
    }
  });

  it('to a machine, for what its token is for', async () => {
    const { get, identify, control } = await scene({ machineTokens: MACHINES });
    const token = await machineToken(['pull'], 'team/*');
    const scope = 'scope=repository:team/app:*&scope=repository:other:pull&scope=registry:catalog:*';
    const { json } = await get(`?${scope}&offline_token=true`, basic('token', token));
    expect(json).toMatchObject({ scope: 'repository:team/app:pull registry:catalog:*' });
    expect(json.refresh_token).toBeUndefined();
    const asker = await identify(`Bearer ${json.token}`);
    expect(asker).toMatchObject({
      via: 'machine',
      token: 'ci',
      listed: [{ repositories: 'team/*', actions: ['pull'] }],
    });
    expect(['team/app', 'team/b'].map((name) => control.mayDo(asker, 'pull', name))).toEqual([true, false]);
  });

  it('for the catalogue, which shows what the user may pull', async () => {
    const { get, identify } = await scene();
    const { json } = await get('?scope=registry:catalog:*', ANNA);
    expect(await identify(`Bearer ${json.token}`)).toMatchObject({
      scopes: [],
      listed: [{ repositories: '**', actions: ['pull'] }],
    });
  });
});

describe('a token is not given', () => {
  it('for wrong credentials', async () => {
    const { get, post } = await scene();
    const refused = {
      status: 401,
      headers: { 'Cache-Control': 'no-store' },
      json: { errors: [{ code: 'UNAUTHORIZED' }], error: 'invalid_grant' },
    };
    expect(await get('', basic('anna', 'wrong'))).toMatchObject(refused);
    expect(await post({ grant_type: 'password', username: 'bob', password: 'wrong' })).toMatchObject(refused);
    expect(await post({ grant_type: 'refresh_token', refresh_token: 'x.y.z' })).toMatchObject(refused);
    expect(await get('', 'Digest x')).toMatchObject(refused);
  });

  it('for another token: what a password gave, only a password renews', async () => {
    const { get } = await scene();
    const { json } = await get('', ANNA);
    expect(await get('', `Bearer ${json.token}`)).toMatchObject({ status: 401 });
    expect(await get('', basic('token', json.token))).toMatchObject({ status: 401 });
  });

  it.each([
    [{}, 'invalid_request'],
    [{ grant_type: 'password', username: 'anna' }, 'invalid_request'],
    [{ grant_type: 'refresh_token' }, 'invalid_request'],
    [{ grant_type: 'client_credentials' }, 'unsupported_grant_type'],
    [{ grant_type: 'password', username: 'anna', password: 'secret', service: 'other' }, 'invalid_request'],
    [{ grant_type: 'password', username: 'anna', password: 'secret', scope: 'nonsense' }, 'invalid_scope'],
  ])('for a form of %j', async (form, error) => {
    const { post } = await scene();
    expect(await post(form as unknown as Record<string, string>)).toMatchObject({ status: 400, json: { error } });
  });

  it('for a form that is none, is huge, or says a thing twice', async () => {
    const { post, answerOf, head } = await scene();
    const form = { grant_type: 'password', username: 'anna', password: 'secret' };
    expect(await post(form, 'application/json')).toMatchObject({ status: 400 });
    expect(await post(form, 'Application/X-WWW-Form-Urlencoded; charset=utf-8')).toMatchObject({ status: 200 });
    expect(await post({ ...form, more: 'x'.repeat(65_536) })).toMatchObject({ status: 413 });
    const twice = bytesOf('grant_type=password&username=anna&password=wrong&password=secret');
    const asked = head({ 'content-type': 'application/x-www-form-urlencoded' }, '/images/token', 'POST');
    expect(await answerOf(asked, twice)).toMatchObject({ status: 400 });
  });

  it('for another service, a method that is not known, or another path', async () => {
    const { get, control, head, answerOf } = await scene();
    expect(await get('?service=registry.example', ANNA)).toMatchObject({ status: 400 });
    for (const method of ['PUT', 'HEAD', 'DELETE']) {
      expect(await answerOf(head({}, '/images/token', method))).toMatchObject({
        status: 405,
        headers: { Allow: 'GET, POST' },
      });
    }
    for (const url of [
      '/images/token/',
      '//images/token',
      '/images/tokens',
      '/v2/images/token',
      '/images/%74oken',
      '/IMAGES/token',
    ]) {
      expect(control.endpoint?.(head({}, url), bytesOf('')), url).toBeUndefined();
    }
  });

  it('for another service in absolute form, either, which clients of proxies send', async () => {
    const { head, answerOf } = await scene();
    const at = (url: string) => answerOf(head({ authorization: ANNA }, url));
    expect(await at('http://reg:5000/images/token?scope=repository:team/app:pull')).toMatchObject({
      status: 200,
      json: { scope: 'repository:team/app:pull' },
    });
    expect(await at('http://reg:5000/images/token?service=other')).toMatchObject({ status: 400 });
  });

  it('for so many scopes that no header would hold it', async () => {
    const { get } = await scene({ mayDo: () => true });
    const scopes = Array.from({ length: 100 }, (_, at) => `scope=repository:${'x'.repeat(100)}${at}:pull`).join('&');
    expect(await get(`?${scopes}`, ANNA)).toMatchObject({ status: 400, json: { error: 'invalid_scope' } });
  });
});
