// A registry that serves reads its configuration again, without ending a request.
import { readFile, stat, writeFile } from 'node:fs/promises';
import { request as ask } from 'node:http';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { expect, it, onTestFinished } from 'vitest';
import type { Observation } from '../../observe/observation.ts';
import { formatListenAddress } from '../../server/address.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { runningRegistry } from './registry-state.ts';
import { reloadRegistry } from './reload-registry.ts';
import { type ServeRequest, serveRegistry } from './serve-registry.ts';
import { readServingRecord } from './serving-record.ts';

async function served(text: string, request: Partial<ServeRequest> = {}) {
  const world = await temporaryWorld();
  onTestFinished(() => world[Symbol.asyncDispose]());
  const file = await world.file('share/images/registry.toml', text);
  const told: Observation[] = [];
  const registry = await serveRegistry(
    { listen: ['127.0.0.1:0'], version: '1', onObservation: (event) => void told.push(event), ...request },
    world.settings(),
  );
  onTestFinished(() => registry[Symbol.asyncDispose]());
  const [address] = registry.state.addresses;
  const url = `http://${formatListenAddress(address ?? { port: 0 })}`;
  const begin = async (headers: Record<string, string> = {}) =>
    (await fetch(`${url}/v2/a/blobs/uploads/`, { method: 'POST', headers })).status;
  const recorded = () => {
    const state = runningRegistry(registry.state.data, world.settings());
    return { state, record: state && readServingRecord(state) };
  };
  const notices = () => told.flatMap((event) => (event.type === 'notice' ? [event.text] : []));
  const reload = async (next: string) => {
    await writeFile(file, next);
    return await registry.reload();
  };
  return { world, file, registry, url, begin, recorded, notices, reload, told };
}

it('rules hold from the next request on, and what has changed is told', async () => {
  const { begin, reload, file, notices, told } = await served('quota = "1 GiB"\n');
  expect(await begin()).toBe(202);
  expect(await reload('quota = "2 GiB"\nread_only = true\n')).toEqual({
    file,
    changed: [
      { key: 'read_only', before: false, now: true },
      { key: 'quota', before: '1 GiB', now: '2 GiB' },
    ],
    waiting: [],
  });
  expect(await begin()).toBe(403);
  expect(notices()).toContain('read the configuration again, changed: read_only, quota');
  expect(told).toContainEqual({ type: 'reloaded', file });
  expect((await reload('quota = "2 GiB"\nread_only = true\n')).changed).toEqual([]);
});

it('what takes a new socket or store waits, and is told each time', async () => {
  const { reload, recorded } = await served('');
  const waiting = [{ key: 'tls.auto', before: false, now: true }];
  expect(await reload('tls = "auto"\n')).toMatchObject({ changed: [], waiting });
  expect(await reload('tls = "auto"\ngc = "off"\n')).toMatchObject({ changed: [{ key: 'gc' }], waiting });
  const { state, record } = recorded();
  expect(record?.settings.find(({ key }) => key === 'tls.auto')).toMatchObject({ value: false, from: 'default' });
  expect(state).toMatchObject({ gc: 'off', reloads: true });
  expect(state?.caFile).toBeUndefined();
});

it('an option that was said stays, whatever the file says', async () => {
  const { reload } = await served('', { listen: ['127.0.0.1:0'], gc: 'off' });
  expect(await reload('listen = ["127.0.0.1:1"]\ngc = "daily"\n')).toMatchObject({ changed: [], waiting: [] });
});

it('with a mistake all stays as it is, and the mistake is told with its line', async () => {
  const { begin, reload, recorded, notices, file } = await served('');
  await expect(reload('read_only = true\nquotta = 1\n')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: `${file}:2: unknown key [quotta]`,
  });
  expect(await begin()).toBe(202);
  expect(recorded().record?.reload?.failed).toMatchObject({ code: 'CONFIG_INVALID', hint: 'Did you mean quota?' });
  expect(notices().at(-1)).toContain('all stays as it is');
  await expect(reload('read_only = true\nauth = "htpasswd:none"\n')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  expect(await begin()).toBe(202);
});

it('users can log in, with another file, and no more, as the configuration wants it', async () => {
  const { begin, reload, recorded, world } = await served('');
  await world.file('share/images/users', `anna:${hashSync('x', 4)}\n`);
  const bob = await world.file('share/images/others', `bob:${hashSync('y', 4)}\n`);
  const as = (user: string) => ({ Authorization: `Basic ${Buffer.from(user).toString('base64')}` });
  await reload('auth = "htpasswd:users"\n');
  expect([await begin(), await begin(as('anna:x')), await begin(as('anna:z'))]).toEqual([401, 202, 401]);
  await reload('auth = "htpasswd:others"\n');
  expect([await begin(as('anna:x')), await begin(as('bob:y'))]).toEqual([401, 202]);
  expect(recorded().state?.users).toBe(bob);
  await world.file('share/images/others', `bob:${hashSync('new', 4)}\n`);
  await reload('auth = "htpasswd:others"\n');
  expect([await begin(as('bob:y')), await begin(as('bob:new'))]).toEqual([401, 202]);
  await world.file('share/images/others', 'nonsense\n');
  await expect(reload('auth = "htpasswd:others"\n')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  expect(await begin(as('bob:new'))).toBe(202);
  await reload('');
  expect([await begin(), recorded().state?.users]).toEqual([202, undefined]);
});

it('names of web pages of its own change', async () => {
  const { url, reload } = await served('');
  const from = async (origin: string) => (await fetch(`${url}/v2/`, { headers: { Origin: origin } })).status;
  expect(await from('http://registry.lan')).toBe(403);
  await reload('names = ["registry.lan"]\n');
  // The browser's own address is what counts: a page of that name, asked under that name.
  expect(await asked(url, { Host: 'registry.lan', Origin: 'http://registry.lan' })).toBe(200);
});

function asked(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    ask(`${url}/v2/`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

it('an upload that is under way goes on', async () => {
  const { url, reload } = await served('');
  const begun = await fetch(`${url}/v2/a/blobs/uploads/`, { method: 'POST' });
  const to = new URL(begun.headers.get('location') ?? '', url);
  const answer = new Promise<number | undefined>((resolve, reject) => {
    const patch = ask(to, { method: 'PATCH' }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    patch.on('error', reject);
    patch.write('first');
    reload('quota = "1 GiB"\n').then(() => patch.end('second'), reject);
  });
  expect(await answer).toBe(202);
});

it('of many that are asked for at once, two are made', async () => {
  const { registry, told } = await served('');
  await Promise.all(Array.from({ length: 20 }, () => registry.reload()));
  expect(told.filter(({ type }) => type === 'reloaded')).toHaveLength(2);
});

it('what it goes by is recorded for its owner alone, and the record ends with it', async () => {
  const { registry, recorded, file } = await served('quota = "1 GiB"\n', { gc: 'off' });
  const path = join(registry.state.data, 'images/serving.json');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(recorded().record).toMatchObject({
    file,
    settings: expect.arrayContaining([
      { key: 'quota', value: '1 GiB', from: 'file', line: 1 },
      { key: 'gc', value: 'off', from: 'option', option: '--gc' },
      { key: 'scrub', value: 'weekly', from: 'default' },
    ]),
  });
  await registry[Symbol.asyncDispose]();
  await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
});

it('a registry of an earlier version, which SIGHUP would end, gets none', async () => {
  const world = await temporaryWorld();
  onTestFinished(() => world[Symbol.asyncDispose]());
  await expect(reloadRegistry(world.settings())).rejects.toMatchObject({ code: 'NO_REGISTRY' });
  const { announceRegistry } = await import('./registry-state.ts');
  const data = join(world.path, 'share/images');
  const { withdraw } = announceRegistry({ data, addresses: [], version: '0.1' }, world.settings());
  await expect(reloadRegistry(world.settings())).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  withdraw();
});
