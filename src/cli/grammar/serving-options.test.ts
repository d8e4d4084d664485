import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { type ServingOptions, servingArguments } from '../../tasks/private-registry/serving-options.ts';
import { givenServingOptions } from './serving-options.ts';

/** As the command line is read: `--name` is a flag, `--name=text` a text. */
function given(...argv: readonly string[]) {
  const parts = argv.map((word) => /^--([\w-]+)(?:=(.*))?$/.exec(word));
  return {
    text: () => undefined,
    flag: (name: string) => parts.some((part) => part?.[1] === name && part[2] === undefined),
    texts: (name: string) => parts.flatMap((part) => (part?.[1] === name && part[2] !== undefined ? [part[2]] : [])),
  };
}

const ALL: readonly (readonly [string, Partial<ServingOptions>])[] = [
  ['--listen=127.0.0.1:1', { listen: ['127.0.0.1:1'] }],
  ['--name=registry.lan', { names: ['registry.lan'] }],
  ['--tls=auto', { tls: 'auto' }],
  ['--tls-cert=/c', { tlsCertificate: '/c' }],
  ['--tls-key=/k', { tlsKey: '/k' }],
  ['--tls-names=lan', { tlsNames: ['lan'] }],
  ['--auth=htpasswd:/users', { auth: 'htpasswd:/users' }],
  ['--read-only', { readOnly: true }],
  ['--read-only-from=vms', { readOnlyFrom: ['vms'] }],
  ['--write-from=local', { writeFrom: ['local'] }],
  ['--trusted-proxies=local', { trustedProxies: ['local'] }],
  ['--audit', { isAudited: true }],
  ['--proxy=a.example', { proxy: ['a.example'] }],
  ['--ttl=5m', { ttl: '5m' }],
  ['--offline', { offline: true }],
  ['--drain=10m', { drain: '10m' }],
  ['--gc=off', { gc: 'off' }],
  ['--scrub=weekly', { scrub: 'weekly' }],
];

it('what a process is called with is what it reads', () => {
  for (const [argument, options] of ALL) {
    expect(givenServingOptions(given(argument))).toEqual({ listen: [], ...options });
    expect(servingArguments(options)).toEqual([argument]);
  }
  const all = ALL.map(([argument]) => argument);
  expect(servingArguments(givenServingOptions(given(...all)))).toEqual(all);
});

it('lists are taken with commas and one by one; a proxy may name no host', () => {
  const { readOnlyFrom, proxy } = givenServingOptions(
    given('--read-only-from=vms, 10.0.0.0/8', '--read-only-from=local', '--proxy=a.io,b.io', '--proxy'),
  );
  expect([readOnlyFrom, proxy]).toEqual([
    ['vms', '10.0.0.0/8', 'local'],
    ['a.io', 'b.io'],
  ]);
  expect(servingArguments({ readOnlyFrom: ['vms', 'local'], proxy: [] })).toEqual([
    '--read-only-from=vms',
    '--read-only-from=local',
    '--proxy',
  ]);
  expect(servingArguments({ listen: [], names: [], readOnly: false })).toEqual([]);
});

it('files are passed on by their absolute names', () => {
  expect(servingArguments({ tlsKey: 'k', auth: 'htpasswd:users' })).toEqual([
    `--tls-key=${resolve('k')}`,
    `--auth=htpasswd:${resolve('users')}`,
  ]);
});

it('a schedule that there is not is refused', () => {
  expect(() => givenServingOptions(given('--gc=hourly'))).toThrow('neither of daily and off [--gc=hourly]');
});
