import { chmod, chown, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isFromOwner } from '../../access/owner-proof.ts';
import type { Credentials } from '../../registry/client/settings.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { localRegistries, withLocalRegistries } from './local-registries.ts';
import { keptOwnerSecret } from './owner-secret.ts';
import type { RegistryState } from './registry-record.ts';
import { announceRegistry } from './registry-state.ts';

const OWN = process.getuid?.() ?? 0;
const ADDRESSES = [
  { host: '127.0.0.1', port: 5000 },
  { host: '127.0.0.1', port: 443, tls: true },
];

async function announced(world: TemporaryWorld, more: Partial<RegistryState> = {}) {
  const data = join(world.path, 'data');
  const owner = await keptOwnerSecret({ data, uid: OWN, group: undefined, onNotice: undefined });
  const caFile = await world.file('data/images/tls/ca.crt', '-----BEGIN CERTIFICATE-----\n');
  const ownerFile = owner?.file ?? '';
  const served = { data, addresses: ADDRESSES, version: '1', ownerFile, caFile, ...more };
  const { state } = announceRegistry(served, world.settings());
  return { state, ownerFile, caFile, registry: { secret: owner?.secret ?? '', registry: state.identity } };
}

const tokenOf = (login: Credentials | undefined) => (login?.type === 'registry-token' ? login.token : '');

describe('a registry of this machine', () => {
  it('is logged in to at its own addresses, by a proof for the process that runs', async () => {
    await using world = await temporaryWorld();
    const { registry, ownerFile } = await announced(world);
    const local = localRegistries(world.settings());
    for (const [host, scheme] of [
      ['127.0.0.1:5000', 'http'],
      ['127.0.0.1:443', 'https'],
      ['127.0.0.1', 'https'],
    ] as const) {
      const login = local.loginOf(host, scheme);
      expect(login, host).toMatchObject({ origin: ownerFile });
      expect(isFromOwner(`Bearer ${tokenOf(login)}`, registry, Date.now())).toBe(true);
      expect(tokenOf(login)).not.toContain(registry.secret);
    }
    expect(local.whyNot('localhost:5000')).toBe(`${ownerFile} (it is for 127.0.0.1:5000: write that)`);
    for (const host of [
      '127.0.0.1:5001',
      '127.0.0.1:80',
      '[::1]:5000',
      'localhost:5000',
      'docker.io',
      '192.0.2.1:5000',
    ]) {
      expect([local.loginOf(host, 'http'), local.loginOf(host, 'https')], host).toEqual([undefined, undefined]);
      if (!host.startsWith('localhost')) expect(local.whyNot(host)).toBeUndefined();
    }
  });

  it('is not taken for what listens on the other port of a host without a port', async () => {
    await using world = await temporaryWorld();
    await announced(world, { addresses: [{ host: '127.0.0.1', port: 443, tls: true }] });
    const https = localRegistries(world.settings());
    expect(https.loginOf('127.0.0.1', 'http')).toBeUndefined();
    expect(https.loginOf('127.0.0.1', 'https')).toBeDefined();
    expect(https.loginOf('127.0.0.1:443', 'http')).toBeUndefined();
    await announced(world, { addresses: [{ host: '127.0.0.1', port: 80 }] });
    const http = localRegistries(world.settings());
    expect(http.loginOf('127.0.0.1', 'https')).toBeUndefined();
    expect(http.loginOf('127.0.0.1', 'http')).toBeDefined();
  });

  it('gets a new proof after a minute, and as soon as the clock was set or the machine has slept', async () => {
    await using world = await temporaryWorld();
    const { registry } = await announced(world);
    let time = 1_800_000_000_000;
    const local = localRegistries(world.settings(), () => time);
    const login = () => tokenOf(local.loginOf('127.0.0.1:5000', 'http'));
    const first = login();
    time += 59_000;
    expect(login()).toBe(first);
    for (const step of [3_600_000, -86_400_000, 60_000]) {
      time += step;
      expect(isFromOwner(`Bearer ${login()}`, registry, time), `${step}`).toBe(true);
    }
  });

  it('that was started again gets a new proof from who says that the last one was refused, once a minute', async () => {
    await using world = await temporaryWorld();
    await announced(world);
    let time = 1_800_000_000_000;
    const local = localRegistries(world.settings(), () => time);
    const login = (refused?: string) => tokenOf(local.loginOf('127.0.0.1:5000', 'http', refused));
    const first = login();
    time += 1000;
    expect(login('of-another')).toBe(first);
    const second = login(first);
    expect(second).not.toBe(first);
    time += 1000;
    expect([login(), login(second)]).toEqual([second, second]);
    time += 60_000;
    expect(login(second)).not.toBe(second);
  });

  it('is trusted by its own CA where it has HTTPS', async () => {
    await using world = await temporaryWorld();
    await announced(world);
    const local = localRegistries(world.settings());
    expect(local.caOf('127.0.0.1')).toContain('BEGIN CERTIFICATE');
    expect(local.caOf('127.0.0.1:443')).toBeDefined();
    expect(local.caOf('127.0.0.1:5000')).toBeUndefined();
    const settings = withLocalRegistries({ temporaryDirectory: '', tlsFiles: async () => ({ ca: ['one'] }) }, local);
    expect((await settings.tlsFiles?.('127.0.0.1:443'))?.ca).toHaveLength(2);
    expect(await settings.tlsFiles?.('docker.io')).toEqual({ ca: ['one'] });
  });

  it('is believed for what its user has written, and nobody else', async () => {
    await using world = await temporaryWorld();
    const link = join(world.path, 'link');
    await symlink(await world.file('other.crt', '-----BEGIN CERTIFICATE-----'), link);
    await announced(world, { ownerFile: '/etc/hostname', caFile: link });
    const local = localRegistries(world.settings());
    expect(local.loginOf('127.0.0.1:5000', 'http')).toBeUndefined();
    expect(local.caOf('127.0.0.1:443')).toBeUndefined();
    expect(local.whyNot('127.0.0.1:5000')).toBe('/etc/hostname (this user cannot read it)');
  });

  it.skipIf(OWN !== 0)('does not log in with a secret that another user has put there', async () => {
    await using world = await temporaryWorld();
    const { ownerFile, caFile } = await announced(world);
    await chown(ownerFile, 54_321, -1);
    await chown(caFile, 54_321, -1);
    const local = localRegistries(world.settings());
    expect(local.loginOf('127.0.0.1:5000', 'http')).toBeUndefined();
    expect(local.caOf('127.0.0.1:443')).toBeUndefined();
  });

  it('of an ordinary user is nothing to others', async () => {
    await using world = await temporaryWorld();
    await announced(world);
    await chmod(world.path, 0o755);
    const asOther = world.settings({ XDG_DATA_HOME: join(world.path, 'other') }, { uid: OWN + 1 });
    // Root's is believed by everybody.
    expect(localRegistries(asOther).loginOf('127.0.0.1:5000', 'http') !== undefined).toBe(OWN === 0);
  });

  it('from before there were such secrets has none', async () => {
    await using world = await temporaryWorld();
    announceRegistry({ data: join(world.path, 'data'), addresses: ADDRESSES, version: '1' }, world.settings());
    const local = localRegistries(world.settings());
    expect([local.loginOf('127.0.0.1:5000', 'http'), local.whyNot('127.0.0.1:5000')]).toEqual([undefined, undefined]);
  });
});

it('credentials that the user has for the registry count, and files that cannot be read are told', async () => {
  await using world = await temporaryWorld();
  await announced(world);
  const local = localRegistries(world.settings());
  const users: Credentials = { type: 'password', username: 'me', password: 'x' };
  const found = (own: Credentials | undefined) =>
    withLocalRegistries(
      { temporaryDirectory: '', credentials: { searched: ['/home/me/c.json'], find: async () => own } },
      local,
    ).credentials;
  expect(await found(users)?.unasked?.('127.0.0.1:5000', 'a', 'http')).toBeUndefined();
  expect(await found(users)?.find('127.0.0.1:5000', 'a')).toEqual(users);
  expect(await found(undefined)?.unasked?.('127.0.0.1:5000', 'a', 'http')).toMatchObject({ type: 'registry-token' });
  const machines: Credentials = { type: 'password', username: 'token', password: 'x' };
  expect(await found(machines)?.unasked?.('127.0.0.1:5000', 'a', 'http')).toMatchObject({ type: 'registry-token' });
  expect(found(undefined)?.searchedFor?.('127.0.0.1:5000')).toEqual([expect.stringContaining('(it is for loopback,')]);
  expect(found(undefined)?.searchedFor?.('docker.io')).toEqual([]);
});
