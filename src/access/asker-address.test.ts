import { expect, it } from 'vitest';
import { askerAddress } from './asker-address.ts';

const isLocal = (address: string) => address === '127.0.0.1';
const of = (address: string, headers = {}) => askerAddress({ address, headers }, isLocal);

it('the asker behind a proxy on this machine is the one that the proxy saw last', () => {
  expect(of('127.0.0.1')).toBe('127.0.0.1');
  expect(of('127.0.0.1', { 'x-forwarded-for': '10.0.0.9' })).toBe('10.0.0.9');
  expect(of('127.0.0.1', { 'x-forwarded-for': '127.0.0.1, 10.0.0.9' })).toBe('10.0.0.9');
  expect(of('127.0.0.1', { 'x-forwarded-for': 'fe80::1%eth0' })).toBe('fe80::1');
  expect(of('127.0.0.1', { 'x-forwarded-for': '[fd00::1]' })).toBe('fd00::1');
});

it('headers give nobody the address of this machine', () => {
  expect(of('10.0.0.9', { 'x-forwarded-for': '127.0.0.1' })).toBe('10.0.0.9');
  for (const text of ['nonsense', '127.0.0.1,', '127.0.0.1, unknown', ' '])
    expect(of('127.0.0.1', { 'x-forwarded-for': text })).toBe('unknown');
  expect(of('127.0.0.1', { forwarded: 'for=127.0.0.1' })).toBe('unknown');
});
