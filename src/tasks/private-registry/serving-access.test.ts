import { describe, expect, it } from 'vitest';
import { parseAddressRange } from '../../access/address-range.ts';
import type { Asker } from '../../access/contract.ts';
import { accessSettings, permissions, rulesOf, whatIsOpen } from './serving-access.ts';

const at = (address: string): Asker => ({ via: 'nobody', address });
const anna: Asker = { via: 'password', user: 'anna', address: '203.0.113.9' };

describe('who may do what by default', () => {
  it('is: everybody pulls, this machine writes', () => {
    const may = permissions(() => ({}));
    expect(may(at('203.0.113.9'), 'pull', 'app')).toBe(true);
    expect(may(at('203.0.113.9'), 'push', 'app')).toBe(false);
    expect(may(at('127.0.0.1'), 'push', 'app')).toBe(true);
    expect(may(at('::1'), 'delete', 'app')).toBe(true);
  });

  it('is with logins: everybody pulls, who has logged in writes, also this machine only then', () => {
    const may = permissions(() => ({ htpasswd: '/users' }));
    expect([at('127.0.0.1'), anna].map((asker) => may(asker, 'push', 'app'))).toEqual([false, true]);
    expect(may(at('203.0.113.9'), 'pull', 'app')).toBe(true);
  });

  it('is what the rules say where there are any; write_from adds to them', () => {
    const rules = [{ repositories: 'team/**', users: ['anna'], allow: ['pull'] }] as const;
    const strict = permissions(() => ({ htpasswd: '/users', rules }));
    expect(strict(at('127.0.0.1'), 'push', 'app')).toBe(false);
    expect(strict(anna, 'pull', 'app')).toBe(false);
    const writeFrom = [parseAddressRange('127.0.0.0/8')];
    expect(permissions(() => ({ htpasswd: '/users', rules, writeFrom }))(at('127.0.0.1'), 'push', 'app')).toBe(true);
  });
});

it('options come before the configuration', () => {
  const configured = { readOnly: false, writeFrom: [parseAddressRange('10.0.0.0/8')] };
  expect(accessSettings({}, configured)).toEqual(configured);
  expect(accessSettings({ readOnly: true, writeFrom: ['192.168.0.0/24'] }, configured)).toMatchObject({
    readOnly: true,
    writeFrom: [{ text: '192.168.0.0/24' }],
  });
  expect(() => accessSettings({ readOnlyFrom: ['nowhere'] }, {})).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

it('other settings are obeyed at once, whatever was decided before', () => {
  let settings = {};
  const may = permissions(() => settings);
  expect(may(at('127.0.0.1'), 'push', 'app')).toBe(true);
  settings = { readOnly: true };
  expect(may(at('127.0.0.1'), 'push', 'app')).toBe(false);
  expect(may(at('127.0.0.1'), 'pull', 'app')).toBe(true);
});

it('a decision is one for each asker, action and repository', () => {
  const rules = [
    { repositories: 'a', allow: ['pull'] },
    { repositories: '**', users: ['anna'], allow: ['push'] },
  ] as const;
  const may = permissions(() => ({ htpasswd: '/users', rules }));
  for (const _ of [1, 2]) {
    expect([may(at('::1'), 'pull', 'a'), may(at('::1'), 'pull', 'b'), may(at('::1'), 'pull')]).toEqual([
      true,
      false,
      false,
    ]);
    expect([may(anna, 'push', 'a'), may({ ...anna, user: 'bob' }, 'push', 'a'), may(anna, 'delete', 'a')]).toEqual([
      true,
      false,
      false,
    ]);
  }
});

describe('what is open', () => {
  const network = [{ host: '0.0.0.0', port: 80 }];

  it('is not said of a registry that only this machine reaches', () => {
    expect(
      whatIsOpen({}, [
        { host: '127.0.0.1', port: 5000 },
        { host: '::1', port: 5000 },
      ]),
    ).toBeUndefined();
  });

  it('is said in one line, with what changes it', () => {
    expect(whatIsOpen({}, network)).toBe(
      'without a login, anyone who reaches 0.0.0.0:80 can pull; this machine, its VM networks can push and delete: `--auth=htpasswd:FILE`, `--write-from=local`, `--read-only` or rules in registry.toml change it',
    );
    expect(whatIsOpen({ writeFrom: [parseAddressRange('0.0.0.0/0')] }, network)).toContain(
      '; 0.0.0.0/0 can push and delete:',
    );
    expect(whatIsOpen({ readOnly: true }, network)).toBe(
      'without a login, anyone who reaches 0.0.0.0:80 can pull: `--auth` with rules in registry.toml changes it',
    );
  });

  it('is nothing where only users may do something', () => {
    const rules = [{ repositories: '**', users: ['*'], allow: ['pull', 'push'] }] as const;
    expect(whatIsOpen({ htpasswd: '/users', rules }, network)).toBeUndefined();
  });
});

it('rules for everybody are said to be open to anyone', () => {
  const rules = [{ repositories: 'free/**', allow: ['push'] }] as const;
  expect(whatIsOpen({ rules }, [{ port: 80 }])).toContain('anyone can push and delete');
  expect(rulesOf({ rules }).rules).toEqual(rules);
});
