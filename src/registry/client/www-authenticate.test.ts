import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseWwwAuthenticate } from './www-authenticate.ts';

describe('WWW-Authenticate', () => {
  it('is read as registries write it', () => {
    const header =
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/alpine:pull,push"';
    expect(parseWwwAuthenticate(header)).toEqual([
      {
        scheme: 'bearer',
        parameters: {
          realm: 'https://auth.docker.io/token',
          service: 'registry.docker.io',
          scope: 'repository:library/alpine:pull,push',
        },
      },
    ]);
    expect(parseWwwAuthenticate('Basic realm="Registry Realm"')).toEqual([
      { scheme: 'basic', parameters: { realm: 'Registry Realm' } },
    ]);
  });

  it('can hold several challenges, with parameters, without, or with a token68', () => {
    const header = 'Negotiate, NTLM abc==, BEARER Realm = "a, \\"b\\"" , service=x/y:z,, Basic realm=""';
    expect(parseWwwAuthenticate(header)).toEqual([
      { scheme: 'negotiate', parameters: {} },
      { scheme: 'ntlm', parameters: {} },
      { scheme: 'bearer', parameters: { realm: 'a, "b"', service: 'x/y:z' } },
      { scheme: 'basic', parameters: { realm: '' } },
    ]);
  });

  it('gives back all challenges that were written into it', () => {
    const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,8}$/).map((text) => text.toLowerCase());
    const value = fc.string({ unit: fc.constantFrom(...'abc,="\\ :/;\t') });
    const challenge = fc.record({
      scheme: token,
      parameters: fc.uniqueArray(fc.tuple(token, value), { minLength: 1, selector: ([name]) => name }),
    });
    const quote = (text: string) => `"${text.replace(/[\\"]/g, '\\$&')}"`;
    fc.assert(
      fc.property(
        fc.array(challenge, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(',', ', ', ' , '),
        (all, comma) => {
          const header = all
            .map(({ scheme, parameters }) => `${scheme} ${parameters.map(([n, v]) => `${n}=${quote(v)}`).join(comma)}`)
            .join(comma);
          expect(parseWwwAuthenticate(header)).toEqual(
            all.map(({ scheme, parameters }) => ({ scheme, parameters: Object.fromEntries(parameters) })),
          );
        },
      ),
    );
  });

  it('is parsed without throwing and in short time, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab=",\\ \t;/'), maxLength: 300 }), (text) => {
        expect(Array.isArray(parseWwwAuthenticate(text))).toBe(true);
      }),
    );
  });

  it('may have parameters named like properties of objects', () => {
    const [challenge] = parseWwwAuthenticate('Bearer __proto__="x", realm="r"');
    expect(challenge?.parameters.realm).toBe('r');
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });
});
