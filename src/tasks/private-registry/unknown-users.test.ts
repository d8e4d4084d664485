import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { unknownUsers } from './unknown-users.ts';

const rule = (...users: readonly string[]) => ({ repositories: '**', users, allow: ['pull'] as const });

it('users whom only rules name are told', async () => {
  await using world = await temporaryWorld();
  const htpasswd = await world.file('users', `anna:${hashSync('x', 4)}\n`);
  expect(await unknownUsers({ htpasswd, rules: [rule('anna', 'Anna'), rule('bob\n', 'Anna')] })).toBe(
    `rules name users that ${htpasswd} does not have: Anna, bob`,
  );
});

it('nothing is told where all are there, where everybody is meant, or where the file says nothing', async () => {
  await using world = await temporaryWorld();
  const htpasswd = await world.file('users', `anna:${hashSync('x', 4)}\n`);
  expect(await unknownUsers({ htpasswd, rules: [rule('anna'), rule('*')] })).toBeUndefined();
  expect(await unknownUsers({ htpasswd })).toBeUndefined();
  expect(await unknownUsers({ rules: [rule('bob')] })).toBeUndefined();
  const broken = await world.file('broken', 'anna\n');
  expect(await unknownUsers({ htpasswd: broken, rules: [rule('bob')] })).toBeUndefined();
  expect(await unknownUsers({ htpasswd: world.path, rules: [rule('bob')] })).toBeUndefined();
  expect(await unknownUsers({ htpasswd: join(world.path, 'none'), rules: [rule('bob')] })).toContain('bob');
});
