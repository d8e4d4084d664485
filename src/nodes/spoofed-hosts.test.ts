import { expect, it } from 'vitest';
import { checkedHost, parseHostList, spoofedLines } from './spoofed-hosts.ts';

it('a list of hosts has one or more on a line, comments and repetitions', () => {
  expect(parseHostList('# hosts\nquay.io\n\n ghcr.io Docker.io # both\nquay.io\r\n', 'f')).toEqual([
    'quay.io',
    'ghcr.io',
    'docker.io',
  ]);
});

it.each(['../etc', 'a/b', 'a"b', "a'b", '$(x)', '10.0.0.1', 'fd00::1', '[fd00::1]:5', 'a..b', '-', '_default'])(
  '%s is no host, and the error says where it stands',
  (text) => {
    expect(() => parseHostList(`quay.io\n${text}/`, 'hosts')).toThrow(/\(hosts:2\)$/);
    expect(() => checkedHost(text, '--host')).toThrow('not the name of a registry');
  },
);

it('a node keeps its own name, whatever port is asked for', () => {
  const registry = { addresses: ['10.0.0.1'], port: 80, scheme: 'http', names: 'with-host' } as const;
  expect(spoofedLines(registry, ['localhost', 'localhost:5000', 'x.localhost', 'quay.io:443'])).toBe(
    '10.0.0.1 example.com\n10.0.0.1 quay.io\n',
  );
});
