import { describe, expect, it } from 'vitest';
import { DEFAULT_LISTEN } from './config-keys.ts';
import { checkNames, listenAddresses, listensOn } from './listen-addresses.ts';
import type { RegistryState } from './registry-record.ts';

describe('the addresses to listen on', () => {
  it('are the loopback interface’s if none are named', () => {
    expect(listenAddresses([])).toEqual(listenAddresses([DEFAULT_LISTEN]));
    expect(listenAddresses([':80', '[::1]:81'])).toEqual([{ port: 80 }, { host: '::1', port: 81 }]);
  });

  const state = {
    addresses: [
      { host: '127.0.0.1', port: 5000 },
      { host: '::', port: 80 },
      { host: '127.0.0.1', port: 443, tls: true },
    ],
  } as unknown as RegistryState;

  it.each([
    [[], true],
    [['127.0.0.1:5000'], true],
    [['127.0.0.1:0'], true],
    [[':80'], true],
    [['127.0.0.1:5000', '80'], true],
    [['127.0.0.1:5001'], false],
    [['127.0.0.2:5000'], false],
    [['127.0.0.1:5000', '127.0.0.1:5001'], false],
    [[':5000'], false],
    [['https://127.0.0.1:5000'], false],
    [['https://127.0.0.1:443', '127.0.0.1:443'], true],
  ])('%j are those of a running registry: %s', (listen, expected) => {
    expect(listensOn(state, listen)).toBe(expected);
  });
});

it('names for its pages are names of hosts', () => {
  checkNames(['registry', 'registry.example.org']);
  checkNames();
  expect(() => checkNames(['https://x.org'])).toThrow('not a name of a host [https://x.org]');
});
