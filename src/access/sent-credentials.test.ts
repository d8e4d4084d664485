import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAuthorization } from './sent-credentials.ts';

const basic = (text: string | Uint8Array) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('the Authorization header', () => {
  it('is absent, a user with a password, or a token', () => {
    expect(parseAuthorization(undefined)).toEqual({ type: 'none' });
    expect(parseAuthorization('')).toEqual({ type: 'none' });
    expect(parseAuthorization('bEaReR  a.b-c_d.e')).toEqual({ type: 'bearer', token: 'a.b-c_d.e' });
  });

  it('with neither a user nor a password is as good as none: clients that have no credentials send that', () => {
    expect(parseAuthorization(basic(':'))).toEqual({ type: 'none' });
    expect(parseAuthorization(basic('::'))).toEqual({ type: 'basic', user: '', password: ':' });
  });

  it('gives any user and password as they were sent', () => {
    // All characters there are take ten seconds to prepare.
    const text = fc.string({ unit: fc.constantFrom(...'aZ9:/= é€😀\0\n\uFEFF') });
    fc.assert(
      fc.property(text, text, (name, password) => {
        const user = name.replaceAll(':', '');
        if (user === '' && password === '') return;
        expect(parseAuthorization(basic(`${user}:${password}`))).toEqual({ type: 'basic', user, password });
      }),
    );
  });

  it.each([
    'Basic',
    'Basic ',
    'Bearer',
    'Basic !!!!',
    'Basic YTpi YTpi',
    'Basic YTpi, Bearer a.b.c',
    'Bearer a,b',
    'Bearer a b',
    'Digest username="anna"',
    'Negotiate YTpi',
    'YTpi',
    basic('anna'),
    basic(Uint8Array.of(0x61, 0x3a, 0xff, 0xfe)),
    `Basic a-_a`,
    `Bearer ${'a'.repeat(17_000)}`,
    '\0',
  ])('is refused if it is something else [%s]', (header) => {
    expect(() => parseAuthorization(header)).toThrow(expect.objectContaining({ code: 'UNAUTHORIZED' }));
  });
});
