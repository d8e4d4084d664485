import { describe, expect, it } from 'vitest';
import { askerAddress, isProxied, isUnknownClient, unknownClient } from './asker-address.ts';

const isIn =
  (...addresses: string[]) =>
  (address: string) =>
    addresses.includes(address);

function scene(...trusted: string[]) {
  const unknown: string[] = [];
  const neighbours = {
    isLocal: isIn('127.0.0.1', '10.0.0.5'),
    isNear: isIn('127.0.0.1', '10.0.0.5', '172.17.0.2'),
    isTrustedProxy: isIn(...trusted),
    onUnknownClient: (proxy: string) => void unknown.push(proxy),
  };
  const of = (address: string, headers = {}, httpVersion = '1.1') =>
    askerAddress({ address, headers, httpVersion }, neighbours);
  return { of, unknown };
}

const via = (text: string) => ({ 'x-forwarded-for': text });
const BEHIND = unknownClient('127.0.0.1');

it('without a proxy the address is that of the connection', () => {
  const { of, unknown } = scene('127.0.0.1');
  expect(['127.0.0.1', '172.17.0.2', '203.0.113.9'].map((address) => of(address))).toEqual([
    '127.0.0.1',
    '172.17.0.2',
    '203.0.113.9',
  ]);
  expect(unknown).toEqual([]);
});

describe('a proxy that nobody named', () => {
  it('gives nobody the rights of this machine or of its VMs, whatever it says or does not say', () => {
    const { of, unknown } = scene();
    const signs = [
      via('127.0.0.1'),
      via('172.17.0.2'),
      via('192.168.0.7'),
      { forwarded: 'for=127.0.0.1' },
      { 'x-real-ip': '127.0.0.1' },
      { 'x-forwarded-proto': 'https' },
      { 'x-forwarded-host': 'reg.example' },
      { 'x-forwarded-port': '443' },
      { via: '1.1 proxy' },
    ];
    for (const headers of signs) {
      expect(of('127.0.0.1', headers)).toBe(BEHIND);
      expect(of('172.17.0.2', headers)).toBe(unknownClient('172.17.0.2'));
    }
    expect(of('127.0.0.1', {}, '1.0')).toBe(BEHIND);
    expect(new Set(unknown)).toEqual(new Set(['127.0.0.1', '172.17.0.2']));
  });

  it('counts by its own address where nothing is given to that unasked', () => {
    const { of, unknown } = scene();
    expect(of('203.0.113.9', via('127.0.0.1'))).toBe('203.0.113.9');
    expect(of('203.0.113.9', {}, '1.0')).toBe('203.0.113.9');
    expect(unknown).toEqual([]);
  });
});

describe('a trusted proxy', () => {
  it('says who asks: the last address that is no trusted proxy', () => {
    const { of } = scene('127.0.0.1', '203.0.113.9');
    expect(of('127.0.0.1', via('10.0.0.9'))).toBe('10.0.0.9');
    expect(of('127.0.0.1', via('127.0.0.1, 10.0.0.9'))).toBe('10.0.0.9');
    expect(of('127.0.0.1', via('10.0.0.9, 203.0.113.9,127.0.0.1'))).toBe('10.0.0.9');
    expect(of('203.0.113.9', via('192.168.0.7'))).toBe('192.168.0.7');
    expect(of('127.0.0.1', via('172.17.0.2'))).toBe('172.17.0.2');
    expect(of('127.0.0.1', via('fe80::1%eth0'))).toBe('fe80::1');
    expect(of('127.0.0.1', via('[fd00::1]'))).toBe('fd00::1');
    expect(of('127.0.0.1', via('::ffff:10.0.0.9'))).toBe('10.0.0.9');
    expect(of('127.0.0.1', via('::ffff:a00:9'))).toBe('10.0.0.9');
    expect(of('127.0.0.1', via('10.0.0.8, 10.0.0.9:5678'))).toBe('10.0.0.9');
    expect(of('127.0.0.1', via('10.0.0.9:1, 127.0.0.1:80'))).toBe('10.0.0.9');
    expect(of('127.0.0.1', via('[fd00::1]:80'))).toBe('fd00::1');
    expect(of('127.0.0.1', via('[::ffff:a00:9]:80'))).toBe('10.0.0.9');
    expect(of('127.0.0.1', { 'x-forwarded-for': ['10.0.0.8', '10.0.0.9'] })).toBe('10.0.0.9');
    expect(of('127.0.0.1', via('203.0.113.9'))).toBe('203.0.113.9');
  });

  it('gives nobody the address of this machine, nor one that it does not name', () => {
    const { of, unknown } = scene('127.0.0.1');
    for (const text of [
      '127.0.0.1',
      '10.0.0.5',
      '::ffff:127.0.0.1',
      '127.0.0.1, 127.0.0.1',
      '127.0.0.1:80',
      '[::ffff:7f00:1]:80',
    ])
      expect(of('127.0.0.1', via(text)), text).toBe(BEHIND);
    expect(unknown).toEqual([]);
    for (const text of [
      '',
      ' ',
      'nonsense',
      '10.0.0.9,',
      '10.0.0.9, unknown',
      '10.0.0.9:',
      '10.0.0.9:x',
      '[10.0.0.9',
      '[fd00::1]80',
    ])
      expect(of('127.0.0.1', via(text)), text).toBe(BEHIND);
    expect(of('127.0.0.1', { 'x-real-ip': '10.0.0.9' })).toBe(BEHIND);
    expect(of('127.0.0.1', {}, '1.0')).toBe(BEHIND);
    expect(unknown).toHaveLength(11);
  });
});

it('an unknown client is told from addresses, and a proxied request from others', () => {
  expect([BEHIND, '127.0.0.1', 'unknown', ''].map(isUnknownClient)).toEqual([true, false, false, false]);
  expect(isProxied({ headers: { host: 'a', 'user-agent': 'docker', connection: 'close' } })).toBe(false);
  expect(isProxied({ headers: {}, httpVersion: '2.0' })).toBe(false);
});
