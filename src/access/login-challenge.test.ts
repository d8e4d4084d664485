import type { IncomingHttpHeaders } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BASIC_CHALLENGE, isServiceName, loginChallenge } from './login-challenge.ts';

interface Asked {
  readonly url?: string;
  readonly isSecure?: boolean;
  readonly scope?: string;
  /** The request comes from a trusted proxy, from one on this machine, or from elsewhere. */
  readonly from?: 'trusted' | 'near';
}

function challenge(headers: IncomingHttpHeaders, { url = '/v2/', isSecure = false, scope, from }: Asked = {}) {
  const head = { method: 'GET', url, headers, address: '10.0.0.1', isSecure };
  return loginChallenge(head, scope, {
    service: 'images',
    neighbours: {
      isLocal: () => false,
      isNear: (address) => from === 'near' && address === '10.0.0.1',
      isTrustedProxy: (address) => from === 'trusted' && address === '10.0.0.1',
    },
  });
}

describe('the challenge', () => {
  it('names the address by which the client came', () => {
    expect(challenge({ host: 'reg:5000' })).toBe('Bearer realm="http://reg:5000/images/token",service="images"');
    expect(challenge({ host: '[fd00::1]:80' }, { isSecure: true })).toContain(
      'realm="https://[fd00::1]:80/images/token"',
    );
    expect(challenge({ ':authority': '192.168.0.250' })).toContain('"http://192.168.0.250/images/token"');
  });

  it('names the scope', () => {
    expect(challenge({ host: 'reg' }, { scope: 'repository:a:pull' })).toContain(',scope="repository:a:pull"');
  });

  it('names the repository with its host, too, if the client reads that of a host', () => {
    const scope = 'repository:team/app:pull';
    expect(challenge({ host: 'reg' }, { scope, url: '/v2/team/app/manifests/1?ns=quay.io' })).toContain(
      'scope="repository:team/app:pull repository:quay.io/team/app:pull"',
    );
    for (const ns of ['', 'a"b', '..', 'x y', 'quay.io&ns=z']) {
      expect(
        challenge({ host: 'reg' }, { scope, url: `/v2/team/app/manifests/1?ns=${encodeURIComponent(ns)}` }),
      ).toContain(`scope="${scope}"`);
    }
    const push = 'repository:team/app:pull,push';
    expect(challenge({ host: 'reg' }, { scope: push, url: '/v2/?ns=quay.io' })).toContain(`scope="${push}"`);
  });

  it.each([
    undefined,
    '',
    'a b',
    'a"b',
    'a\\b',
    'a/b',
    'user@host',
    'a,b',
    'a?b',
    'a#b',
    '-a',
    'a:port',
    'a:123456',
    '[::1',
    '[evil.com]',
    'a\r\nb',
    'ä',
    'a'.repeat(300),
  ])('is none for a request to [%s]', (host) => {
    expect(challenge(host === undefined ? {} : { host })).toBeUndefined();
  });

  it('names the address of a proxy as that says it, if it is trusted or near: the last one', () => {
    const headers = { host: 'inner:5000', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.com, reg.example' };
    for (const from of ['trusted', 'near'] as const)
      expect(challenge(headers, { from, scope: 'repository:a:pull' })).toBe(
        'Bearer realm="https://reg.example/images/token",service="images",scope="repository:a:pull"',
      );
    expect(challenge(headers)).toBe(BASIC_CHALLENGE);
  });

  it('names the host of the request where a proxy says only how it was asked', () => {
    const headers = { host: 'localhost.example:5000', 'x-forwarded-proto': 'https' };
    expect(challenge(headers, { from: 'near' })).toContain('realm="https://localhost.example:5000/images/token"');
  });

  it('names no address behind a proxy that does not say it', () => {
    const said = { host: '127.0.0.1:5000', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'reg.example' };
    for (const headers of [
      { host: 'reg.example', 'x-forwarded-for': '10.0.0.9' },
      { ...said, 'x-forwarded-host': undefined },
      { ...said, host: 'localhost', 'x-forwarded-host': undefined },
      { ...said, host: '[::1]:80', 'x-forwarded-host': undefined },
      { ...said, host: 'a"b', 'x-forwarded-host': undefined },
      { ...said, 'x-forwarded-proto': undefined },
      { ...said, 'x-forwarded-proto': 'javascript' },
      { ...said, 'x-forwarded-host': 'a"b' },
      { ...said, 'x-forwarded-host': '' },
    ])
      expect(challenge(headers, { from: 'trusted' }), JSON.stringify(headers)).toBe(BASIC_CHALLENGE);
  });

  it('has one quoted string for each field, whatever the request has', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (host, scope, url) => {
        const made = challenge({ host }, { scope, url });
        if (made !== undefined)
          expect(made).toMatch(/^Bearer realm="http:[^"\\]+",service="images"(?:,scope="[^"\\]+")?$/);
      }),
    );
  });
});

it.each(['', 'a"b', 'a\nb', 'ä'])('the name of a service that cannot stand in a challenge is told [%j]', (name) => {
  expect(isServiceName(name)).toBe(false);
});
