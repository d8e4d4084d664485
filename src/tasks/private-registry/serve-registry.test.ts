import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { formatListenAddress } from '../../server/address.ts';
import { image, putImage } from '../../server/testing/content.ts';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import { canMount, smallDisk } from '../../storage/testing/directories.ts';
import type { DebugEvent, Settings } from '../settings.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import type { RegistryState } from './registry-record.ts';
import { announceRegistry, runningRegistry } from './registry-state.ts';
import { type ServeRequest, serveRegistry } from './serve-registry.ts';

const OWN = process.getuid?.() ?? 0;
const ANY_PORT = '127.0.0.1:0';

function serve(world: TemporaryWorld, request: Partial<ServeRequest> = {}, more: Partial<Settings> = {}) {
  return serveRegistry({ listen: [ANY_PORT], version: '1', ...request }, world.settings({}, more));
}

const dataOf = (world: TemporaryWorld) => join(world.path, 'share/images');
const hostOf = ({ addresses: [first] }: RegistryState) => formatListenAddress(first ?? { port: 0 });
/** The files by which others find a registry. */
const adverts = async (world: TemporaryWorld) =>
  (await readdir(world.path)).filter((name) => name.startsWith('images-registry-'));

const rulesFor = (user: string) => `auth = "htpasswd:users"\n[[rule]]\nusers = ["anna", "${user}"]\nallow = ["pull"]\n`;

/** A port that another program listens on. */
async function taken(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe.skipIf(!canMount)('a store on a read-only file system (skipped without the right to mount)', () => {
  it('is served read-only: pushes are refused, it is healthy, and nothing is recorded', async () => {
    await using world = await temporaryWorld();
    await using disk = await smallDisk(2048);
    const data = disk?.path ?? '';
    const { manifest } = await putImage((await openEmbeddedStore(data)).registry, 'x/y', '1', image());
    await disk?.makeReadOnly();
    const notices: string[] = [];
    const served = await serve(
      world,
      { onObservation: (one) => one.type === 'notice' && notices.push(one.text) },
      { data },
    );
    const url = `http://${hostOf(served.state)}`;
    expect((await fetch(`${url}/v2/x/y/manifests/1`)).headers.get('docker-content-digest')).toBe(manifest.digest);
    expect((await fetch(`${url}/v2/x/y/blobs/uploads/`, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(notices).toEqual([`the store is on a read-only file system, so pushes are refused: ${data}`]);
    expect(runningRegistry(data, world.settings())).toBeUndefined();
    await served[Symbol.asyncDispose]();
    await served.stopped;
    expect(await adverts(world)).toEqual([]);
  });
});

describe('the embedded registry in this process', () => {
  it('serves the store and can be found, until it is disposed', async () => {
    await using world = await temporaryWorld();
    const { manifest } = await putImage((await openEmbeddedStore(dataOf(world))).registry, 'x/y', '1', image());
    const served = await serve(world);
    expect(served.state).toMatchObject({ data: dataOf(world), pid: process.pid, uid: OWN, version: '1' });
    const url = `http://${hostOf(served.state)}/v2/x/y/manifests/1`;
    expect((await fetch(url)).headers.get('docker-content-digest')).toBe(manifest.digest);
    expect(runningRegistry(dataOf(world), world.settings())).toEqual(served.state);
    expect(await adverts(world)).toHaveLength(1);
    await served[Symbol.asyncDispose]();
    await served.stopped;
    await expect(fetch(url)).rejects.toThrow();
    expect(runningRegistry(dataOf(world), world.settings())).toBeUndefined();
    expect(await adverts(world)).toEqual([]);
    expect((await readdir(join(dataOf(world), 'images'))).filter((name) => name.startsWith('starting'))).toEqual([]);
  });

  it('tells which users its rules name in vain, and again when the rules change', async () => {
    await using world = await temporaryWorld();
    const config = await world.file('share/images/registry.toml', rulesFor('bob'));
    await world.file('share/images/users', `anna:${hashSync('x', 4)}\n`);
    const notices: string[] = [];
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    await using _served = await serve(world, {
      onObservation: (one) => one.type === 'notice' && notices.push(one.text),
    });
    expect(notices).toEqual([expect.stringMatching(/^rules name users that .* does not have: bob$/)]);
    await writeFile(config, rulesFor('Anna'));
    await vi.waitFor(
      () => {
        vi.advanceTimersByTime(2000);
        expect(notices.at(-1)).toMatch(/does not have: Anna$/);
      },
      { timeout: 60_000, interval: 10 },
    );
  });

  it('ends with the signal', async () => {
    await using world = await temporaryWorld();
    const abort = new AbortController();
    const { state, stopped } = await serve(world, {}, { signal: abort.signal });
    abort.abort();
    await stopped;
    expect(runningRegistry(state.data, world.settings())).toBeUndefined();
  });

  it('does not begin after the signal, and leaves no store behind', async () => {
    await using world = await temporaryWorld();
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(serve(world, {}, { signal })).rejects.toThrow('enough');
    expect(existsSync(join(dataOf(world), 'images'))).toBe(false);
  });

  it('reports requests as events, and what they do to the store as debug events', async () => {
    await using world = await temporaryWorld();
    const events: unknown[] = [];
    const debugged: DebugEvent[] = [];
    const onDebug = (event: DebugEvent) => debugged.push(event);
    await using served = await serve(
      world,
      { onObservation: (one) => one.type === 'request' && events.push(one) },
      { onDebug },
    );
    const url = `http://${hostOf(served.state)}/v2/x/manifests/1`;
    const answer = await fetch(url, { headers: { 'X-Request-ID': 'from-the-client' } });
    await answer.text();
    expect(answer.headers.get('x-request-id')).toBe('from-the-client');
    const named = { id: 'from-the-client', kind: 'manifest-get', repository: 'x', reference: '1', userAgent: 'node' };
    expect(events).toEqual([
      expect.objectContaining({ method: 'GET', url: '/v2/x/manifests/1', status: 404, ...named }),
    ]);
    expect(new Set(debugged.map(({ topic }) => topic))).toEqual(new Set(['serve', 'store']));
  });

  it('tells when it serves, stops and has stopped, once each', async () => {
    await using world = await temporaryWorld();
    const told: string[] = [];
    const served = await serve(world, { onObservation: ({ type }) => told.push(type) });
    await served[Symbol.asyncDispose]();
    await served[Symbol.asyncDispose]();
    expect(told).toEqual(['serving', 'stopping', 'stopped']);
  });

  it('says in its health check that its directory has gone', async () => {
    await using world = await temporaryWorld();
    await using served = await serve(world);
    await rm(join(dataOf(world), 'images/registry.json'));
    const health = await fetch(`http://${hostOf(served.state)}/healthz`);
    expect([health.status, await health.text()]).toEqual([503, expect.stringContaining('pulls: ')]);
  });
});

describe('the embedded registry is refused', () => {
  it('if the directory is served already; that registry goes on', async () => {
    await using world = await temporaryWorld();
    await using served = await serve(world);
    await expect(serve(world)).rejects.toMatchObject({
      code: 'ALREADY_RUNNING',
      message: `the embedded registry runs already [${hostOf(served.state)}]`,
    });
    expect(runningRegistry(dataOf(world), world.settings())).toEqual(served.state);
    expect((await fetch(`http://${hostOf(served.state)}/v2/`)).ok).toBe(true);
  });

  it('if another one begins at the same time and wins', async () => {
    await using world = await temporaryWorld();
    const both = await Promise.allSettled([serve(world), serve(world)]);
    const [won] = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const lost = both.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    await won?.[Symbol.asyncDispose]();
    expect(lost).toEqual([expect.objectContaining({ code: 'ALREADY_RUNNING' })]);
  });

  it('if another program has the address; no store is left behind', async () => {
    await using world = await temporaryWorld();
    const listen = [await taken()];
    const elsewhere = { data: join(world.path, 'other'), addresses: [{ host: '127.0.0.1', port: 1 }], version: '1' };
    const { withdraw } = announceRegistry(
      elsewhere,
      world.settings({ XDG_DATA_HOME: join(world.path, 'other share') }),
    );
    onTestFinished(withdraw);
    await expect(serve(world, { listen })).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
      hint: expect.not.stringContaining('embedded'),
    });
    expect(existsSync(join(dataOf(world), 'images'))).toBe(false);
  });

  it.each([
    ['this user’s, and how to stop it', OWN, 'end it with `images lreg_stop --data=DATA`'],
    [
      'another user’s, and how to use it',
      OWN + 1,
      `User ${OWN}'s embedded registry listens there: set LOCAL_REGISTRY=`,
    ],
  ])('if another embedded registry has the address: the hint says that it is %s', async (_, uid, hint) => {
    await using world = await temporaryWorld();
    const listen = [await taken()];
    const port = Number(listen[0]?.split(':')[1]);
    const data = join(world.path, 'other');
    const { withdraw } = announceRegistry(
      {
        data,
        addresses: [
          { host: '127.0.0.1', port: 1 },
          { host: '127.0.0.1', port },
        ],
        version: '1',
      },
      world.settings({ XDG_DATA_HOME: join(world.path, 'other share') }),
    );
    await expect(serve(world, { listen }, { uid })).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
      message: `address is in use [${listen}]`,
      hint: expect.stringContaining(hint.replace('DATA', data)),
    });
    withdraw();
  });

  it('if it cannot be recorded: nothing listens, and nothing says that it runs', async () => {
    await using world = await temporaryWorld();
    const data = join(world.path, 'elsewhere');
    await world.file('share/images/images', 'in the way of what remembers the directory');
    await expect(serve(world, {}, { data })).rejects.toThrow();
    expect(runningRegistry(data, world.settings())).toBeUndefined();
    expect(await adverts(world)).toEqual([]);
    expect(existsSync(join(data, 'images'))).toBe(false);
  });

  it.each<[string, Partial<ServeRequest>]>([
    ['an address without a port', { listen: ['127.0.0.1'] }],
    ['a name with a port', { names: ['registry.example.org:5000'] }],
    ['a name that is none', { names: ['registry.example.org', 'a b'] }],
  ])('with %s, before anything is made', async (_, request) => {
    await using world = await temporaryWorld();
    await expect(serve(world, request)).rejects.toMatchObject({ code: 'USAGE' });
    expect(existsSync(dataOf(world))).toBe(false);
  });
});
