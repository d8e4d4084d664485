import { expect, it } from 'vitest';
import { parseAddressRange } from '../../access/address-range.ts';
import type { AccessConfig } from './access-config.ts';
import { registryNeighbours } from './neighbours.ts';

it('this machine is near, and no proxy is trusted that the settings of the moment do not name', () => {
  let settings: AccessConfig = {};
  const neighbours = registryNeighbours(() => settings, undefined);
  expect(['127.0.0.1', '::1', '203.0.113.9'].map(neighbours.isLocal)).toEqual([true, true, false]);
  expect(['127.0.0.1', '203.0.113.9'].map(neighbours.isNear)).toEqual([true, false]);
  expect(neighbours.isTrustedProxy('127.0.0.1')).toBe(false);
  settings = { trustedProxies: [parseAddressRange('127.0.0.1')] };
  expect(['127.0.0.1', '::1'].map(neighbours.isTrustedProxy)).toEqual([true, false]);
  neighbours.onUnknownClient?.('127.0.0.1');
});

it('a proxy whose clients are not known is told of once, with what mends it', () => {
  const notices: string[] = [];
  let settings: AccessConfig = {};
  const { onUnknownClient } = registryNeighbours(
    () => settings,
    (text) => notices.push(text),
  );
  for (const proxy of ['127.0.0.1', '127.0.0.1', '203.0.113.9']) onUnknownClient?.(proxy);
  settings = { trustedProxies: [parseAddressRange('203.0.113.8')] };
  onUnknownClient?.('203.0.113.8');
  expect(notices).toEqual([
    expect.stringMatching(/^requests come through a proxy \[127\.0\.0\.1\].*: `--trusted-proxies=local`$/),
    expect.stringMatching(/\[203\.0\.113\.9\].*`--trusted-proxies=203\.0\.113\.9`$/),
    expect.stringMatching(/\[203\.0\.113\.8\].*: let it set X-Forwarded-For$/),
  ]);
  for (let at = 0; at < 100; at++) onUnknownClient?.(`172.17.0.${at}`);
  expect(notices).toHaveLength(20);
});
