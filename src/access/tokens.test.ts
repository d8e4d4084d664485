import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { SignJWT } from 'jose/jwt/sign';
import { beforeAll, describe, expect, it } from 'vitest';
import { keyFor } from './keyed-hash.ts';
import { createTokens, type TokenKind, type TokenOptions } from './tokens.ts';

const KEY = new Uint8Array(32).fill(7);
const START = 1_700_000_000_000;
const KINDS: readonly TokenKind[] = ['access', 'refresh', 'machine'];
const SCOPES = [{ repositories: 'team/app', actions: ['pull'] }] as const;
const ANNA = { as: 'user', user: 'anna' } as const;
const CI = { as: 'machine', id: 'id-1', name: 'ci' } as const;

function scene(options: Partial<TokenOptions> = {}) {
  const clock = { ms: START };
  const users = new Map([['anna', 'hash of anna']]);
  const machines = new Set(['id-1']);
  const tokens = createTokens({
    key: KEY,
    issuer: 'store-1',
    service: 'images',
    hashOf: (user) => users.get(user),
    machines: { isThere: (id) => machines.has(id) },
    now: () => clock.ms,
    ...options,
  });
  const accepts = (token: string, kinds: readonly TokenKind[] = KINDS) =>
    tokens.verify(token, kinds).then(
      () => true,
      ({ code }) => (code === 'UNAUTHORIZED' ? false : code),
    );
  const make = async () => ({
    access: (await tokens.access({ holder: ANNA, scopes: SCOPES })).token,
    refresh: await tokens.refresh('anna'),
    machine: await tokens.machine({ id: 'id-1', name: 'ci', scopes: SCOPES, expires: START + 3_600_000 }),
  });
  return { clock, users, machines, tokens, accepts, make };
}

const valid = { iss: 'store-1', aud: 'images', iat: START / 1000, exp: START / 1000 + 60, scopes: [] };

/** Signed with the store's own key. */
async function forged(claims: object, header: object = {}): Promise<string> {
  return await new SignJWT({ ...valid, ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'images-access+jwt', ...header })
    .sign(keyFor('sign tokens', KEY));
}

describe('a token', () => {
  it('holds for whom it stands, and what it is for', async () => {
    const { tokens, make } = scene();
    const { access, machine, refresh } = await make();
    expect(await tokens.verify(access, ['access'])).toMatchObject({ holder: ANNA, scopes: SCOPES });
    expect(await tokens.verify(refresh, ['refresh'])).toMatchObject({ holder: ANNA });
    expect(await tokens.verify(machine, ['machine'])).toMatchObject({ holder: CI, scopes: SCOPES });
    const { token } = await tokens.access({ holder: { as: 'nobody' }, scopes: [], listed: SCOPES });
    expect(await tokens.verify(token, ['access'])).toMatchObject({ holder: { as: 'nobody' }, listed: SCOPES });
  });

  it('of one kind is never taken for another', async () => {
    const { make, accepts } = scene();
    const made = await make();
    for (const kind of KINDS) {
      for (const wanted of KINDS)
        expect(await accepts(made[kind], [wanted]), `${kind} ${wanted}`).toBe(kind === wanted);
    }
  });

  it('ends: access after 5 minutes, refresh after 30 days, machine when it says', async () => {
    const { make, accepts, clock } = scene();
    const made = await make();
    const ends = { access: 300, refresh: 30 * 24 * 3600, machine: 3600 };
    for (const kind of KINDS) {
      clock.ms = START + ends[kind] * 1000 - 1;
      expect(await accepts(made[kind]), kind).toBe(true);
      clock.ms += 1;
      expect(await accepts(made[kind]), kind).toBe(false);
    }
    // Not only because it was seen before.
    expect(await scene({ now: () => clock.ms }).accepts(made.access)).toBe(false);
  });

  it('that was verified is known at once to hold still, as long as it does', async () => {
    const { tokens, make, clock, users, machines } = scene();
    const made = await make();
    const nobody = await tokens.access({ holder: { as: 'nobody' }, scopes: [] });
    const contents = await Promise.all(
      [made.access, made.machine, made.refresh, nobody.token].map((token) => tokens.verify(token, KINDS)),
    );
    const hold = () => contents.map((content) => tokens.stillHolds(content));
    expect(hold()).toEqual([true, true, true, true]);
    expect(tokens.stillHolds({ holder: ANNA, scopes: SCOPES })).toBe(false);
    users.set('anna', 'another hash');
    machines.delete('id-1');
    expect(hold()).toEqual([false, false, false, true]);
    users.set('anna', 'hash of anna');
    machines.add('id-1');
    expect(hold()).toEqual([true, true, true, true]);
    clock.ms += 300_000;
    expect(hold()).toEqual([false, true, true, false]);
  });

  it('of a machine is never known at once where looking for its record takes time', async () => {
    const { tokens, make } = scene({ machines: { isThere: async () => true } });
    const content = await tokens.verify((await make()).machine, ['machine']);
    expect(tokens.stillHolds(content)).toBe(false);
  });

  it('that is made of another ends not later than that', async () => {
    const { tokens } = scene();
    const { expiresIn } = await tokens.access({ holder: CI, scopes: [], expires: START / 1000 + 20 });
    expect(expiresIn).toBe(20);
  });

  it('of a user ends when the password changes, or the user goes', async () => {
    const { make, accepts, users } = scene();
    const made = await make();
    users.set('anna', 'another hash');
    expect([await accepts(made.access), await accepts(made.refresh)]).toEqual([false, false]);
    users.set('anna', 'hash of anna');
    expect(await accepts(made.access)).toBe(true);
    users.delete('anna');
    expect([await accepts(made.access), await accepts(made.refresh)]).toEqual([false, false]);
  });

  it('of a machine ends when its record goes, and so does what was made of it', async () => {
    const { make, accepts, tokens, machines } = scene();
    const { machine } = await make();
    const { token } = await tokens.access({ holder: CI, scopes: SCOPES });
    expect([await accepts(machine), await accepts(token)]).toEqual([true, true]);
    machines.clear();
    expect([await accepts(machine), await accepts(token)]).toEqual([false, false]);
    const without = createTokens({
      key: KEY,
      issuer: 'store-1',
      service: 'images',
      hashOf: () => undefined,
      now: () => START,
    });
    await expect(without.verify(machine, KINDS)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  it('of another store, another service or another key is refused', async () => {
    const { accepts } = scene();
    for (const other of [{ issuer: 'store-2' }, { service: 'other' }, { key: new Uint8Array(32) }]) {
      for (const token of Object.values(await scene(other).make())) expect(await accepts(token)).toBe(false);
    }
  });

  it('is not made for a user that there is not, nor so long that no header holds it', async () => {
    const { tokens } = scene();
    await expect(tokens.refresh('eve')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    const scopes = Array.from({ length: 100 }, (_, at) => ({
      repositories: `team/${'x'.repeat(200)}${at}`,
      actions: [],
    }));
    await expect(tokens.access({ holder: ANNA, scopes })).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('is signed with a key of 32 bytes', () => {
    expect(() => scene({ key: new Uint8Array(31) })).toThrow('32 bytes');
  });
});

describe('what is no token of this store', () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  let access: string;

  beforeAll(async () => {
    access = (await scene().make()).access;
  });

  it('is refused with any bit changed', async () => {
    const { accepts } = scene();
    expect(await accepts(access)).toBe(true);
    await fc.assert(
      fc.asyncProperty(fc.nat(access.length - 1), fc.constantFrom(...'ABab09-_.=+/ \0é'), async (at, character) => {
        const changed = access.slice(0, at) + character + access.slice(at + 1);
        expect(await accepts(changed)).toBe(changed === access);
      }),
    );
    // The last character has bits that no signature uses.
    for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
      const changed = access.slice(0, -1) + character;
      expect(await accepts(changed)).toBe(changed === access);
    }
  });

  it.each(['none', 'None', 'NONE', 'nOnE', '', 'HS512', 'HS384', 'RS256', 'ES256', 'EdDSA', 'dir', undefined, null, 1])(
    'is refused with the algorithm %j',
    async (alg) => {
      const { accepts } = scene();
      const [, payload = '', signature = ''] = access.split('.');
      const head = part({ alg, typ: 'images-access+jwt' });
      const own = createHmac('sha256', keyFor('sign tokens', KEY)).update(`${head}.${payload}`).digest('base64url');
      const empty = createHmac('sha256', '').update(`${head}.${payload}`).digest('base64url');
      for (const end of [signature, '', own, empty]) expect(await accepts(`${head}.${payload}.${end}`)).toBe(false);
    },
  );

  it('is refused with a key of its own, or with a header that asks for what is not known', async () => {
    const { accepts } = scene();
    expect(await accepts(await forged({}))).toBe(true);
    const [, payload = ''] = access.split('.');
    const jwk = { kty: 'oct', k: 'AAAA' };
    const head = part({ alg: 'HS256', typ: 'images-access+jwt', jwk, kid: '../../dev/null', jku: 'http://x/' });
    const signature = createHmac('sha256', Buffer.from('AAAA', 'base64url'))
      .update(`${head}.${payload}`)
      .digest('base64url');
    expect(await accepts(`${head}.${payload}.${signature}`)).toBe(false);
    for (const header of [
      { crit: ['x'], x: 1 },
      { crit: ['b64'], b64: false },
      { typ: 'JWT' },
      { typ: 'images-owner+jwt' },
    ]) {
      expect(await forged({}, header).then(accepts, () => false), JSON.stringify(header)).toBe(false);
    }
  });

  it.each([
    ['other issuer', { iss: 'store-2' }],
    ['no issuer', { iss: undefined }],
    ['other audience', { aud: 'other' }],
    ['no audience', { aud: undefined }],
    ['no end', { exp: undefined }],
    ['an end that is a text', { exp: '9999999999' }],
    ['an end that has passed', { exp: START / 1000 }],
    ['a start in the future', { nbf: START / 1000 + 1 }],
    ['no scopes', { scopes: undefined }],
    ['scopes that are none', { scopes: [{ repositories: 1, actions: ['pull'] }] }],
    ['scopes without actions', { scopes: ['repository:a:pull'] }],
    ['a user that is no text', { sub: 1 }],
    ['a user without the hash of a password', { sub: 'anna' }],
    ['a machine without a name', { machine: 'id-1' }],
  ])('is refused with %s, even if it is signed', async (_, claims) => {
    expect(await forged(claims).then(scene().accepts, () => false)).toBe(false);
  });

  it('is refused as a machine or to refresh if it stands for nobody', async () => {
    const { accepts } = scene();
    for (const kind of ['machine', 'refresh']) {
      expect(await accepts(await forged({}, { typ: `images-${kind}+jwt` }))).toBe(false);
    }
  });

  it.each(['', '.', '..', 'a.b', 'a.b.c', 'a.b.c.d', `${'a'.repeat(9000)}.a.a`, 'null', '\0', 'ü.ü.ü'])(
    'is refused whatever it is',
    async (token) => {
      expect(await scene().accepts(token)).toBe(false);
    },
  );

  it('is refused if it is huge, even if it is signed', async () => {
    const token = await forged({ more: 'x'.repeat(8000) });
    expect(token.length).toBeGreaterThan(8192);
    expect(await scene().accepts(token)).toBe(false);
  });
});

it('of many tokens a bounded number of signatures is remembered', async () => {
  const { tokens, accepts } = scene();
  const first = (await tokens.access({ holder: ANNA, scopes: [] })).token;
  for (let at = 0; at < 1001; at++) {
    const { token } = await tokens.access({ holder: ANNA, scopes: [{ repositories: `a${at}`, actions: [] }] });
    if (!(await accepts(token))) throw new Error('it was refused');
  }
  expect(await accepts(first)).toBe(true);
});
