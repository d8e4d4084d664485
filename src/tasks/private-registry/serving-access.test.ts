import { describe, expect, it } from 'vitest';
import { parseAddressRange } from '../../access/address-range.ts';
import type { Asker } from '../../access/contract.ts';
import { accessSettings, permissions } from './serving-access.ts';

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

it('a decision about a token is one for its scopes, whoever else has the same name', () => {
  const may = permissions(() => ({ htpasswd: '/users' }));
  const narrow: Asker = { ...anna, via: 'token', scopes: [{ repositories: 'a', actions: ['pull'] }] };
  const wide: Asker = { ...anna, via: 'token', scopes: [{ repositories: '**', actions: ['pull', 'push'] }] };
  for (const _ of [1, 2]) {
    expect([narrow, wide].map((asker) => may(asker, 'pull', 'b'))).toEqual([false, true]);
    expect([narrow, wide].map((asker) => may(asker, 'push', 'a'))).toEqual([false, true]);
    expect(may(anna, 'delete', 'a')).toBe(true);
  }
  for (let at = 0; at < 300; at++) expect(may(narrow, 'pull', `b${at}`)).toBe(false);
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
