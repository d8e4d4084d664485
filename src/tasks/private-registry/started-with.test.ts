import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { startedWith } from './started-with.ts';

it('the same options are the same, in whatever order and with whatever names of the same files', () => {
  expect(startedWith({ writeFrom: ['vms', 'local', 'vms'], auth: 'htpasswd:users' })).toBe(
    startedWith({ auth: `htpasswd:${resolve('users')}`, writeFrom: ['local', 'vms'], readOnly: false }),
  );
  expect(startedWith({ tlsCertificate: 'a', tlsKey: 'b' })).toBe(
    startedWith({ tlsCertificate: resolve('a'), tlsKey: resolve('b') }),
  );
});

it('other options are others, and none are none', () => {
  expect(startedWith({})).toBeUndefined();
  expect(startedWith({ readOnly: false, writeFrom: [], tlsNames: [] })).toBeUndefined();
  const all = [
    { readOnly: true },
    { readOnlyFrom: ['vms'] },
    { writeFrom: ['vms'] },
    { trustedProxies: ['vms'] },
    { auth: 'htpasswd:vms' },
    { tls: 'auto' },
    { tls: 'auto', tlsNames: ['vms'] },
    { tlsCertificate: 'vms', tlsKey: 'b' },
    { tlsCertificate: 'a', tlsKey: 'vms' },
  ].map(startedWith);
  expect(new Set(all).size).toBe(all.length);
});
