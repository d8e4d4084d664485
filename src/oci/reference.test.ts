import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalHost, formatReference, fullReference, isHost, parseReference, tagOrDigest } from './reference.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('parsing a reference', () => {
  it.each([
    ['alpine', { path: 'alpine' }],
    ['alpine:3.8', { path: 'alpine', tag: '3.8' }],
    ['library/alpine', { path: 'library/alpine' }],
    ['docker.io/library/alpine:3.8', { host: 'docker.io', path: 'library/alpine', tag: '3.8' }],
    ['index.docker.io/library/alpine', { host: 'docker.io', path: 'library/alpine' }],
    ['localhost/x', { host: 'localhost', path: 'x' }],
    ['localhost:5000/x/y:t', { host: 'localhost:5000', path: 'x/y', tag: 't' }],
    ['127.0.0.1:5000/x', { host: '127.0.0.1:5000', path: 'x' }],
    ['[fd00::1]:5000/x:1', { host: '[fd00::1]:5000', path: 'x', tag: '1' }],
    ['[::1]/x', { host: '[::1]', path: 'x' }],
    ['MyHost/x', { host: 'myhost', path: 'x' }],
    ['calico/node:v3.26.1', { path: 'calico/node', tag: 'v3.26.1' }],
    ['quay.io/a/b__c/d-e.f:Tag_1.2-3', { host: 'quay.io', path: 'a/b__c/d-e.f', tag: 'Tag_1.2-3' }],
    [`alpine@${DIGEST}`, { path: 'alpine', digest: DIGEST }],
    [`quay.io/x/y:1@${DIGEST}`, { host: 'quay.io', path: 'x/y', tag: '1', digest: DIGEST }],
  ])('reads %s', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });

  it.each([
    '',
    ' ',
    'Alpine',
    'alpine:',
    'alpine:a b',
    'alpine@sha256:123',
    'alpine@',
    ':tag',
    '/alpine',
    'alpine/',
    'a//b',
    'a..b',
    '-a',
    'docker.io/',
    'http://docker.io/x',
    'docker.io/X',
    '../../etc/passwd',
    'x/../y',
    `a:${'t'.repeat(129)}`,
    'a'.repeat(256),
    'f'.repeat(64),
    'host:port/x',
    'alpine:3.8\n',
  ])('refuses %j with the value in one line', (text) => {
    expect(() => parseReference(text)).toThrowError(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
  });

  it.each(['me:hunter2@quay.io/app:1', 'https://me:hun@ter2@quay.io/x', 'hunter2@h:5000/x', 'me:hun/ter2@quay.io/app'])(
    'refuses the user in %s without showing the password',
    (text) => {
      expect(() => parseReference(text)).toThrowError(
        expect.objectContaining({ message: expect.not.stringMatching(/hun/) }),
      );
    },
  );

  it.each([
    ['127.0.0.1:99999/app:1', 'port is not between 1 and 65535 [99999]'],
    ['registry.example:65536/app:1', 'port is not between 1 and 65535 [65536]'],
    ['localhost:0/app', 'port is not between 1 and 65535 [0]'],
    ['[fd00::1]:123456/app', 'port is not between 1 and 65535 [123456]'],
    ['[::::1]/app', '[[::::1]] is no IPv6 address'],
    ['[1.2.3.4]:5000/app', '[[1.2.3.4]:5000] is no IPv6 address'],
  ])('refuses the impossible host of %s', (text, why) => {
    expect(() => parseReference(text)).toThrowError(expect.objectContaining({ message: expect.stringContaining(why) }));
    expect(isHost(text.slice(0, text.indexOf('/')))).toBe(false);
  });

  it('can be undone: the written reference is the one that was read', () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,8}(?:[._-][a-z0-9]{1,4})?$/);
    const host = fc.constantFrom('docker.io', 'quay.io', 'localhost:5000', '[fd00::1]:80', '10.0.0.1');
    const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/);
    fc.assert(
      fc.property(
        fc.option(host, { nil: undefined }),
        fc.array(part, { minLength: 1, maxLength: 4 }),
        fc.option(tag, { nil: undefined }),
        fc.boolean(),
        (host, parts, tag, digest) => {
          // Without a host, a dot in the first of several parts would make it one.
          fc.pre(host !== undefined || parts.length === 1 || !isHost(parts[0] as string));
          const text = `${host ? `${host}/` : ''}${parts.join('/')}${tag ? `:${tag}` : ''}${digest ? `@${DIGEST}` : ''}`;
          expect(formatReference(parseReference(text))).toBe(text);
        },
      ),
    );
  });

  it('fails only with REFERENCE_INVALID', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseReference(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'REFERENCE_INVALID' });
        }
      }),
    );
  });
});

describe('the full reference', () => {
  it.each([
    ['alpine', 'docker.io/library/alpine:latest'],
    ['docker.io/alpine:1', 'docker.io/library/alpine:1'],
    ['calico/node:v3', 'docker.io/calico/node:v3'],
    ['quay.io/x', 'quay.io/x:latest'],
    [`alpine@${DIGEST}`, `docker.io/library/alpine@${DIGEST}`],
  ])('has what %s leaves out', (text, expected) => {
    expect(formatReference(fullReference(parseReference(text)))).toBe(expected);
  });
});

describe('hosts', () => {
  it('are told from path elements by a dot, a port, capitals or localhost', () => {
    expect(['a.b', 'localhost', 'x:80', '[::1]', 'HOST'].every(isHost)).toBe(true);
    expect(['library', 'calico', 'a_b', 'x:', 'a..b', '.a'].some(isHost)).toBe(false);
  });

  it('have one spelling for Docker Hub', () => {
    expect(['docker.io', 'Index.Docker.io', 'registry-1.docker.io'].map(canonicalHost)).toEqual(
      Array(3).fill('docker.io'),
    );
  });
});

it('a digest beats the tag beside it', () => {
  expect(tagOrDigest(parseReference(`a:1@${DIGEST}`))).toBe(DIGEST);
  expect(tagOrDigest(parseReference('a'))).toBe('latest');
});
