import { expect, it } from 'vitest';
import { parseRegistryToml } from './registry-config.ts';

const parse = async (text: string) =>
  (await parseRegistryToml({ file: '/d/registry.toml', isAlone: true }, text)).access;

it('registry.toml says who may do what', async () => {
  const text = `
auth = "htpasswd:users"
read_only = false
read_only_from = ["10.9.0.0/16"]
write_from = ["local", "192.168.0.0/24"]
trusted_proxies = ["local"]
[[rule]]
repositories = "team/**"
users = ["anna", "bob"]
allow = ["pull", "push", "delete"]
[[rule]]
from = ["fd00::/8"]
allow = ["pull"]
`;
  expect(await parse(text)).toMatchObject({
    htpasswd: '/d/users',
    readOnly: false,
    readOnlyFrom: [{ text: '10.9.0.0/16' }],
    writeFrom: [{ text: 'local' }, { text: '192.168.0.0/24' }],
    trustedProxies: [{ text: 'local' }],
    rules: [
      { repositories: 'team/**', users: ['anna', 'bob'], allow: ['pull', 'push', 'delete'] },
      { repositories: '**', from: [{ text: 'fd00::/8' }], allow: ['pull'] },
    ],
  });
  expect((await parse('auth = "htpasswd:/etc/users"')).htpasswd).toBe('/etc/users');
  expect(await parse('')).toEqual({});
});

const RULE = 'auth = "htpasswd:u"\n[[rule]]\n';

it.each([
  ['read_only = "yes"', ':1: read_only is neither true nor false [yes]', 'Write read_only = true.'],
  ['write_from = "local"', ':1: write_from is not a list of texts [local]', 'Write write_from = ['],
  ['write_from = ["lan"]', ':1: not a range of addresses [lan]', 'Write "local", "vms", or ranges'],
  ['trusted_proxies = ["nginx"]', ':1: not a range of addresses [nginx]', 'Write "local"'],
  ['read_only_from = ["10.0.0.0/99"]', ':1: not a range of addresses [10.0.0.0/99]', 'Write "local"'],
  ['auth = "users"', ':1: auth is not a way to log in [users]', 'Write auth = "htpasswd:FILE".'],
  ['auth = "htpasswd:"', ':1: auth is not a way to log in [htpasswd:]', 'Write auth'],
  ['rule = 1', ':1: rule is not a list of tables', 'Begin each rule with a line [[rule]].'],
  ['rule = [1]', ':1: rule is not a list of tables', 'Begin each rule'],
  [`${RULE}`, ':2: allow is not a list of texts', 'Write allow = ['],
  [`${RULE}allow = ["write"]`, ':3: unknown action [write]', 'Known here: pull, push, delete.'],
  [
    `${RULE}allow = ["pull"]\nrepositories = "Team"`,
    ':4: not a pattern for repositories [Team]',
    'Write the name of one',
  ],
  [
    `${RULE}allow = ["pull"]\nrepositories = "/team/**"`,
    ':4: not a pattern for repositories [/team/**]',
    'Write the name',
  ],
  [`${RULE}allow = ["pull"]\nuser = "anna"`, ':4: unknown key [user]', 'Did you mean users?'],
  ['[[rule]]\nusers = ["anna"]\nallow = []', ':2: a rule names users, but nobody can log in', 'Add auth ='],
])('a mistake in [%s] is reported with its line', async (text, message, hint) => {
  await expect(parse(text)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(`/d/registry.toml${message}`),
    hint: expect.stringContaining(hint),
  });
});

it('rules may name users where `--auth` says how they log in', async () => {
  const text = '[[rule]]\nusers = ["anna"]\nallow = ["push"]';
  const { access } = await parseRegistryToml({ file: '/d/registry.toml' }, text);
  expect(access).toEqual({ rules: [{ repositories: '**', users: ['anna'], allow: ['push'] }] });
});
