import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddressRange } from './address-range.ts';
import { ACTIONS, type Asker } from './contract.ts';
import { type AccessRule, mayDo } from './rules.ts';

const nobody: Asker = { via: 'nobody', address: '10.0.0.9' };
const anna: Asker = { via: 'password', address: '10.0.0.9', user: 'anna' };
const bob: Asker = { via: 'password', address: '192.168.0.5', user: 'bob' };
const pullAll: AccessRule = { repositories: '**', allow: ['pull'] };

describe('the rules of access', () => {
  it('forbid what none of them allows', () => {
    expect(mayDo({ rules: [] }, anna, 'pull', 'app')).toBe(false);
    expect(mayDo({ rules: [pullAll] }, anna, 'push', 'app')).toBe(false);
    expect(mayDo({ rules: [pullAll] }, nobody, 'pull', 'app')).toBe(true);
  });

  it('are for users, for all who have logged in, or for all', () => {
    const rules = [
      { repositories: 'team/**', users: ['anna'], allow: ['push'] },
      { repositories: 'free/*', users: ['*'], allow: ['push'] },
    ] as const;
    expect(mayDo({ rules }, anna, 'push', 'team/a/b')).toBe(true);
    expect(mayDo({ rules }, bob, 'push', 'team/a/b')).toBe(false);
    expect(mayDo({ rules }, bob, 'push', 'free/app')).toBe(true);
    expect(mayDo({ rules }, bob, 'push', 'free/app/deep')).toBe(false);
    expect(mayDo({ rules }, nobody, 'push', 'free/app')).toBe(false);
  });

  it('take a user named * for no other than the user', () => {
    const rules = [{ repositories: '**', users: ['anna'], allow: ['push'] }] as const;
    expect(mayDo({ rules }, { ...anna, user: '*' }, 'push', 'app')).toBe(false);
  });

  it('are for addresses', () => {
    const rules = [{ repositories: '**', from: [parseAddressRange('192.168.0.0/24')], allow: ['push'] }] as const;
    expect([anna, bob].map((asker) => mayDo({ rules }, asker, 'push', 'app'))).toEqual([false, true]);
  });

  it('take both names of an official image for one', () => {
    const rules = [{ repositories: 'library/*', allow: ['pull'] }] as const;
    expect(mayDo({ rules }, nobody, 'pull', 'alpine')).toBe(true);
    expect(mayDo({ rules }, nobody, 'pull', 'team/alpine')).toBe(false);
  });

  it('allow everything everywhere only by the pattern **', () => {
    expect(mayDo({ rules: [pullAll] }, nobody, 'pull')).toBe(true);
    expect(mayDo({ rules: [{ repositories: '*', allow: ['pull'] }] }, nobody, 'pull')).toBe(false);
  });

  it('are narrowed by the scopes of a token, never widened', () => {
    const scopes = [{ repositories: 'team/*', actions: ['pull', 'push'] }] as const;
    const token: Asker = { ...anna, via: 'token', scopes };
    expect(mayDo({ rules: [pullAll] }, token, 'pull', 'team/app')).toBe(true);
    expect(mayDo({ rules: [pullAll] }, token, 'push', 'team/app')).toBe(false);
    expect(mayDo({ rules: [pullAll] }, token, 'pull', 'other')).toBe(false);
  });

  it('do not matter for the token of a machine: its scopes are what it may do', () => {
    const scopes = [{ repositories: 'team/*', actions: ['push'] }] as const;
    expect(mayDo({ rules: [] }, { via: 'machine', address: '::1', scopes }, 'push', 'team/app')).toBe(true);
    expect(mayDo({ rules: [pullAll] }, { via: 'machine', address: '::1', scopes }, 'pull', 'team/app')).toBe(false);
    expect(mayDo({ rules: [pullAll] }, { via: 'machine', address: '::1' }, 'pull', 'team/app')).toBe(false);
  });

  it('do not bind the owner, but a read-only registry does', () => {
    const owner: Asker = { via: 'owner', address: '::1' };
    expect(mayDo({ rules: [] }, owner, 'delete', 'app')).toBe(true);
    expect(mayDo({ rules: [], readOnly: true }, owner, 'delete', 'app')).toBe(false);
    const readOnlyFrom = [parseAddressRange('10.0.0.0/8')];
    const rules = [{ repositories: '**', allow: ACTIONS }];
    expect([anna, bob].map((asker) => mayDo({ rules, readOnlyFrom }, asker, 'push', 'app'))).toEqual([false, true]);
    expect(mayDo({ rules, readOnlyFrom }, anna, 'pull', 'app')).toBe(true);
  });

  it('let nobody write who may be where nobody writes', () => {
    const readOnlyFrom = [parseAddressRange('10.0.0.0/8')];
    const rules = [{ repositories: '**', allow: ACTIONS }];
    const hidden: Asker = { ...bob, address: 'proxy:127.0.0.1' };
    const may = (more: object) => mayDo({ rules, ...more }, hidden, 'push', 'app');
    expect([may({}), may({ readOnlyFrom: [] }), may({ readOnlyFrom })]).toEqual([true, true, false]);
  });

  it('agree with a plain model, whatever they are', () => {
    const word = fc.constantFrom('a', 'b', 'library');
    const repository = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join('/'));
    const pattern = fc.oneof(repository, fc.constantFrom('**', '*', 'a/*', 'a/**', '*/b', '**/b', '?', 'library/*'));
    const rule = fc.record({
      repositories: pattern,
      users: fc.option(fc.subarray(['*', 'anna', 'bob']), { nil: undefined }),
      from: fc.option(fc.subarray(['10.0.0.0/8', '::/0']), { nil: undefined }),
      allow: fc.subarray([...ACTIONS]),
    });
    const asker = fc.record({
      user: fc.constantFrom(undefined, 'anna', 'bob', 'eve'),
      address: fc.constantFrom('10.1.1.1', '192.168.0.1', 'fd00::1'),
    });
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 4 }),
        asker,
        fc.constantFrom(...ACTIONS),
        repository,
        (all, who, action, name) => {
          const rules = all.map(({ users, from, ...one }) => ({
            ...one,
            ...(users && { users }),
            ...(from && { from: from.map(parseAddressRange) }),
          }));
          const { user, address } = who;
          const asking: Asker = user === undefined ? { via: 'nobody', address } : { via: 'password', address, user };
          const names = name.startsWith('library/') && name.split('/').length === 2 ? [name, name.slice(8)] : [name];
          if (!name.includes('/')) names.push(`library/${name}`);
          const expected = all.some(
            ({ repositories, users, from, allow }) =>
              allow.includes(action) &&
              names.some((one) => expression(repositories).test(one)) &&
              (!users || (user !== undefined && (users.includes('*') || users.includes(user)))) &&
              (!from ||
                from.some(
                  (range) =>
                    (range === '::/0') === address.includes(':') && (range === '::/0' || address.startsWith('10.')),
                )),
          );
          expect(mayDo({ rules }, asking, action, name)).toBe(expected);
        },
      ),
    );
  });
});

function expression(pattern: string): RegExp {
  const steps = pattern.split(/(\*\*|\*|\?)/).map((step) => ({ '**': '.*', '*': '[^/]*', '?': '[^/]' })[step] ?? step);
  return new RegExp(`^${steps.join('')}$`);
}
