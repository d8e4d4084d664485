import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { logIn, logOut } from './login.ts';

/** Lets in who is `me:right`, at `/v2/`; without a challenge, everybody. */
async function registry({ isOpen = false } = {}): Promise<string> {
  const right = `Basic ${Buffer.from('me:right').toString('base64')}`;
  const server = createServer(({ headers }, response) => {
    const isIn = isOpen || headers.authorization === right;
    response.writeHead(isIn ? 200 : 401, isIn ? {} : { 'WWW-Authenticate': 'Basic realm="test"' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('credentials are kept once the registry has accepted them, and forgotten again', async () => {
  await using world = await temporaryWorld();
  const host = await registry();
  const file = join(world.path, '.docker/config.json');
  expect(await logIn({ host, username: 'me', password: 'right' }, world.settings())).toEqual({
    host,
    isTried: true,
    file,
  });
  expect(await readFile(file, 'utf8')).toContain(Buffer.from('me:right').toString('base64'));
  expect(await logOut({ host }, world.settings())).toEqual({ host, files: [file] });
  expect(await logOut({ host }, world.settings())).toEqual({ host, files: [] });
});

it('credentials that the registry refuses are not kept', async () => {
  await using world = await temporaryWorld();
  const host = await registry();
  await expect(logIn({ host, username: 'me', password: 'wrong' }, world.settings())).rejects.toMatchObject({
    code: 'UNAUTHORIZED',
    message: `${host} does not accept this user name and password`,
  });
  await expect(readFile(join(world.path, '.docker/config.json'))).rejects.toMatchObject({ code: 'ENOENT' });
});

it('a registry that lets everybody in does not try the password, which is said', async () => {
  await using world = await temporaryWorld();
  const host = await registry({ isOpen: true });
  const file = await world.file('auth.json', '');
  expect(await logIn({ host, username: 'me', password: 'any', file }, world.settings())).toMatchObject({
    isTried: false,
    file,
  });
});

it('a login needs the host of a registry, a user name without a colon, and a password', async () => {
  await using world = await temporaryWorld();
  const given = { host: 'quay.io', username: 'me', password: 'x' };
  for (const wrong of [
    { host: 'https://quay.io' },
    { host: 'quay.io/org' },
    { username: '' },
    { username: 'a:b' },
    { password: '' },
  ]) {
    await expect(logIn({ ...given, ...wrong }, world.settings())).rejects.toMatchObject({ code: 'USAGE' });
  }
});

it('a login replaces what is found first, and a logout forgets what any file has', async () => {
  await using world = await temporaryWorld();
  const host = await registry();
  const old = JSON.stringify({ auths: { [host]: { auth: 'b2xkOm9sZA==' } } });
  const first = await world.file('.config/containers/auth.json', old);
  const second = await world.file('.docker/config.json', old);
  expect(await logIn({ host, username: 'me', password: 'right' }, world.settings())).toMatchObject({ file: first });
  expect(await readFile(first, 'utf8')).toContain(Buffer.from('me:right').toString('base64'));
  expect(await logOut({ host }, world.settings())).toEqual({ host, files: [first, second] });
});
