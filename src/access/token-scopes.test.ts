import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTIONS, type Action } from './contract.ts';
import { mayDo } from './rules.ts';
import { grantScopes, parseTokenScopes } from './token-scopes.ts';

const LISTED = [{ repositories: '**', actions: ['pull'] }] as const;

function granted(scopes: readonly string[], may: (action: Action, repository: string) => boolean) {
  return grantScopes(parseTokenScopes(scopes), { may, listed: LISTED });
}

describe('scopes', () => {
  it('name a repository and actions, several in one text and in several', () => {
    expect(parseTokenScopes(['repository:team/app:pull,push repository:a:pull', '', 'repository:b:*'])).toEqual([
      { type: 'repository', name: 'team/app', actions: ['pull', 'push'] },
      { type: 'repository', name: 'a', actions: ['pull'] },
      { type: 'repository', name: 'b', actions: ['pull', 'push', 'delete'] },
    ]);
  });

  it('may have a class, name the catalogue, or be of a kind that is not known', () => {
    expect(parseTokenScopes(['repository(plugin):team/app:pull', 'registry:catalog:*', 'other:thing:pull'])).toEqual([
      { type: 'repository', name: 'team/app', actions: ['pull'] },
      { type: 'catalog' },
      { type: 'other' },
    ]);
  });

  it('with actions that are not known grant nothing for these', () => {
    expect(parseTokenScopes(['repository:a:read,PULL,pull', 'repository:b:'])).toMatchObject([
      { actions: ['pull'] },
      { actions: [] },
    ]);
  });

  it.each(['*', '**', 'team/*', 'te?m/app', 'TEAM/app', '../app', 'a//b', 'localhost:5000/app', '/a', 'a/', 'a"b'])(
    'name no repository by [%s], so nothing is granted',
    (name) => {
      expect(granted([`repository:${name}:pull,push`], () => true)).toEqual({ scopes: [], text: '' });
    },
  );

  it.each([
    'repository',
    'repository:',
    'repository:a',
    ':a:pull',
    'repository::pull',
    'repo sitory:a:pull',
    'a:b:c:d',
  ])('are no text like [%s]', (text) => {
    expect(() => parseTokenScopes([text])).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it('are a hundred at most, and not endless', () => {
    const hundred = Array.from({ length: 100 }, (_, at) => `repository:a${at}:pull`);
    expect(parseTokenScopes(hundred)).toHaveLength(100);
    expect(() => parseTokenScopes([...hundred, 'repository:b:pull'])).toThrow('more than 100');
    expect(() => parseTokenScopes([`repository:${'a'.repeat(20_000)}:pull`])).toThrow('too long');
  });
});

describe('what is granted', () => {
  it('is what may be done now', () => {
    const may = (action: Action, repository: string) => repository === 'team/app' && action !== 'delete';
    expect(granted(['repository:team/app:*', 'repository:other:pull'], may)).toEqual({
      scopes: [{ repositories: 'team/app', actions: ['pull', 'push'] }],
      text: 'repository:team/app:pull,push',
    });
  });

  it('covers each repository that a name with a host may mean, by its own name', () => {
    expect(granted(['repository:docker.io/team/app:pull'], () => true).scopes).toEqual([
      { repositories: 'docker.io/team/app', actions: ['pull'] },
      { repositories: 'team/app', actions: ['pull'] },
    ]);
    const onlyPlain = granted(['repository:docker.io/team/app:pull'], (_, repository) => repository === 'team/app');
    expect(onlyPlain.scopes).toEqual([{ repositories: 'team/app', actions: ['pull'] }]);
  });

  it('of one repository asked for twice is one scope', () => {
    expect(granted(['repository:a/b:pull', 'repository:a/b:push,pull'], () => true).scopes).toEqual([
      { repositories: 'a/b', actions: ['pull', 'push'] },
    ]);
  });

  it('of the catalogue is what may be listed, and nothing to pull', () => {
    expect(granted(['registry:catalog:*'], () => true)).toEqual({
      scopes: [],
      listed: LISTED,
      text: 'registry:catalog:*',
    });
  });

  it('is never more than what may be done, whatever is asked', () => {
    const name = fc.constantFrom('a', 'library/a', 'team/a', 'team/b', 'docker.io/team/a', 'team', '**', 'team/*');
    const scope = fc
      .tuple(name, fc.subarray([...ACTIONS, '*']))
      .map(([one, to]) => `repository:${one}:${to.join(',')}`);
    const pattern = fc.constantFrom('a', 'team/*', 'team/**', '**', 'docker.io/**', 'library/a');
    const held = fc.array(fc.record({ repositories: pattern, actions: fc.subarray([...ACTIONS]) }), { maxLength: 3 });
    const repository = fc.constantFrom('a', 'library/a', 'team/a', 'team/b', 'docker.io/team/a', 'team', 'x/y');
    fc.assert(
      fc.property(fc.array(scope, { maxLength: 4 }), held, repository, (asked, scopes, target) => {
        const machine = { via: 'machine', address: '::1' } as const;
        const may = (asker: object, action: Action, one: string) =>
          mayDo({ rules: [] }, { ...machine, ...asker }, action, one);
        const token = granted(asked, (action, one) => may({ scopes }, action, one));
        for (const action of ACTIONS) {
          const byToken = may({ scopes: token.scopes }, action, target);
          expect(byToken && !may({ scopes }, action, target), `${action} ${target}`).toBe(false);
        }
      }),
    );
  });
});
