import { chmod, readFile, readlink, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { announceRegistry } from './registry-state.ts';
import { setPassword } from './set-password.ts';

it('a password is set and changed in the named file, which keeps its mode and its other lines', async () => {
  await using world = await temporaryWorld();
  const file = join(world.path, 'users');
  await setPassword({ user: 'anna', password: 'one', file }, world.settings());
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await chmod(file, 0o640);
  const before = await readFile(file, 'utf8');
  await setPassword({ user: 'bob', password: 'two', file }, world.settings());
  expect(await readFile(file, 'utf8')).toMatch(
    new RegExp(`^${before.trim().replace(/[$./]/g, '\\$&')}\nbob:\\$2b\\$10\\$`),
  );
  expect((await stat(file)).mode & 0o777).toBe(0o640);
  await setPassword({ user: 'bob', file }, world.settings());
  expect(await readFile(file, 'utf8')).toBe(before);
});

it('the file is the one that the configuration of the registry names', async () => {
  await using world = await temporaryWorld();
  await world.file('store/registry.toml', 'auth = "htpasswd:users"\n');
  const data = join(world.path, 'store');
  expect(await setPassword({ user: 'anna', password: 'one' }, world.settings({}, { data }))).toEqual({
    file: join(data, 'users'),
  });
});

it('the file is the one that the running registry was started with, whatever registry.toml says now', async () => {
  await using world = await temporaryWorld();
  await world.file('store/registry.toml', 'auth = "htpasswd:users"\n');
  const data = join(world.path, 'store');
  const users = join(world.path, 'others');
  const settings = world.settings({}, { data });
  announceRegistry({ data, addresses: [], version: '1', users }, settings);
  expect(await setPassword({ user: 'anna', password: 'one' }, settings)).toEqual({ file: users });
});

it('a link to the file stays one', async () => {
  await using world = await temporaryWorld();
  const file = await world.file('users', '');
  const link = join(world.path, 'link');
  await symlink(file, link);
  await setPassword({ user: 'anna', password: 'one', file: link }, world.settings());
  expect(await readFile(file, 'utf8')).toMatch(/^anna:/);
  expect(await readlink(link)).toBe(file);
});

it('nothing is written for what cannot be a user or a password, or is not there', async () => {
  await using world = await temporaryWorld();
  const file = join(world.path, 'users');
  const wrong = [
    { user: 'a:b', password: 'x', file },
    { user: 'anna', password: 'x'.repeat(73), file },
    { user: 'anna', file },
    { user: 'anna', password: 'x' },
  ];
  for (const change of wrong) {
    await expect(setPassword(change, world.settings())).rejects.toMatchObject({ code: 'USAGE' });
  }
  await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
});
