import { describe, expect, it } from 'vitest';
import type { AccessRule } from '../../access/rules.ts';
import { sayingWhatIsOpen, whatIsOpen } from './what-is-open.ts';
import { writingNetworks } from './writing-networks.ts';

const network = [{ host: '0.0.0.0', port: 80 }];
const from = (...texts: readonly string[]) => writingNetworks(texts);
/** Without its beginning and its mend. */
const said = (...rules: readonly AccessRule[]) =>
  whatIsOpen({ htpasswd: '/users', rules }, network)?.replace(/^without a login, (.*): the rules.*$/, '$1');

describe('what is open', () => {
  it('is not said of a registry that only this machine reaches', () => {
    const listen = [
      { host: '127.0.0.1', port: 5000 },
      { host: '::1', port: 5000 },
    ];
    expect(whatIsOpen({}, listen)).toBeUndefined();
    expect(whatIsOpen({}, [...listen, { port: 80 }])).toContain('anyone who reaches :80 can pull');
  });

  it('is said in one line, with what changes it', () => {
    expect(whatIsOpen({}, network)).toBe(
      'without a login, anyone who reaches 0.0.0.0:80 can pull; this machine, its VM networks can push and delete: `--auth=htpasswd:FILE`, `--write-from=local`, `--read-only` or rules in registry.toml change it',
    );
    expect(whatIsOpen({ readOnly: true }, network)).toBe(
      'without a login, anyone who reaches 0.0.0.0:80 can pull: `--auth` with rules in registry.toml changes it',
    );
    expect(whatIsOpen({ htpasswd: '/users' }, network)).toContain('anyone who reaches 0.0.0.0:80 can pull: ');
  });

  it('names the networks that may write, and those that never may', () => {
    expect(whatIsOpen({ writeFrom: from('0.0.0.0/0', '::/0') }, network)).toContain(
      '; anyone by IPv4, anyone by IPv6 can push and delete: ',
    );
    expect(whatIsOpen({ readOnlyFrom: from('10.0.0.0/8', 'vms') }, network)).toContain(
      'can push and delete (nobody writes from 10.0.0.0/8, its VM networks): ',
    );
    expect(whatIsOpen({ readOnly: true, readOnlyFrom: from('10.0.0.0/8') }, network)).not.toContain('writes from');
  });

  it('is nothing where only users may do something, or only this machine may pull', () => {
    expect(said({ repositories: '**', users: ['*'], allow: ['pull', 'push'] })).toBeUndefined();
    expect(said({ repositories: '**', from: from('local'), allow: ['pull'] })).toBeUndefined();
    expect(said()).toBeUndefined();
  });

  it('is only what the rules open: these actions, in these repositories, to these networks', () => {
    expect(said({ repositories: 'free/**', allow: ['push'] })).toBe(
      'anyone who reaches 0.0.0.0:80 can push in free/**',
    );
    expect(said({ repositories: '**', from: from('10.20.0.0/16', 'local'), allow: ['pull'] })).toBe(
      '10.20.0.0/16 can pull',
    );
    expect(said({ repositories: '**', from: from('0.0.0.0/0'), allow: ['pull'] })).toBe(
      'anyone who reaches 0.0.0.0:80 by IPv4 can pull',
    );
    expect(
      said(
        { repositories: '**', from: from('local', 'vms'), allow: ['pull', 'push', 'delete'] },
        { repositories: 'public/**', allow: ['pull'] },
        { repositories: 'team/**', users: ['*'], allow: ['push'] },
      ),
    ).toBe(
      'anyone who reaches 0.0.0.0:80 can pull in public/**; this machine, its VM networks can pull, push and delete',
    );
  });

  it('is short, however many rules there are', () => {
    const rules = Array.from({ length: 20 }, (_, at) => ({ repositories: `r${at}/**`, allow: ['pull'] as const }));
    expect(said(...rules, ...rules)).toBe(
      'anyone who reaches 0.0.0.0:80 can pull in r0/**, r1/**, r2/**, r3/**, r4/** and 15 more patterns',
    );
  });
});

it('what is open is said again after each change, and once that nothing is any more', () => {
  const said: string[] = [];
  let now: string | undefined = 'all';
  const { first, again } = sayingWhatIsOpen(
    () => now,
    (text) => said.push(text),
  );
  expect(first).toBe('all');
  again();
  now = 'some';
  again();
  now = undefined;
  again();
  again();
  expect(said).toEqual(['all', 'some', 'without a login, others can do nothing any more']);
});
