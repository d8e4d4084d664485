import { hashSync } from 'bcryptjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changedHtpasswd, costOf, parseHtpasswd } from './htpasswd.ts';
import { hashPassword } from './password-hash.ts';

const [ONE, TWO] = [hashSync('one', 4), hashSync('two', 4)];
const parse = (text: string) => Object.fromEntries(parseHtpasswd('users', text));
const change = (text: string, user: string, hash?: string) => changedHtpasswd({ file: 'users', text }, user, hash);

describe('a file of passwords', () => {
  it('has a user and a bcrypt hash in each line, beside comments and blank lines', () => {
    expect(parse(`# team\n\nanna:${ONE}\r\n  \n  # bob\nbob smith:${TWO}`)).toEqual({ anna: ONE, 'bob smith': TWO });
    expect(parse(`\uFEFFanna:${ONE.replace('$2b$', '$2y$')}\n`)).toEqual({ anna: ONE.replace('$2b$', '$2y$') });
    expect(parse('')).toEqual({});
  });

  it('may have a user of any name that JavaScript knows', () => {
    expect(parse(`__proto__:${ONE}\nconstructor:${TWO}\n`).constructor).toBe(TWO);
    expect(parseHtpasswd('users', '').get('constructor')).toBeUndefined();
  });

  it.each([
    ['anna', 'not USER:HASH'],
    ['anna:secret', 'not hashed with bcrypt'],
    ['anna:$apr1$abc$def', 'not hashed with bcrypt'],
    ['anna:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', 'not hashed with bcrypt'],
    [`anna:${ONE}:more`, 'not hashed with bcrypt'],
    [`anna:${ONE.replace('$2b$', '$2x$')}`, 'not hashed with bcrypt'],
    [`anna:${ONE.replace('$04$', '$31$')}`, 'a cost that is not 4 to 14'],
    [`:${ONE}`, 'a user has no name'],
    [` anna:${ONE}`, 'not the name of a user'],
    [`an\x1bna:${ONE}`, 'not the name of a user'],
    [`${'a'.repeat(256)}:${ONE}`, 'more than 255 bytes'],
    [`token:${ONE}`, 'no user can be called token'],
  ])('is refused with its line, and without its secret: %j', (line, what) => {
    const error = refusalOf(() => parse(`bob:${TWO}\n${line}\n`));
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(`^users:2: .*${what}`) });
    expect(error.message).not.toContain('secret');
  });

  it('does not have a user twice', () => {
    expect(() => parse(`a:${ONE}\nb:${ONE}\r\na:${TWO}\n`)).toThrow('users:3: the user is there twice [a]');
  });
});

describe('the line of a user', () => {
  it('is changed, added or removed, and all others stay as they are', () => {
    const text = `# team\r\nanna:${ONE}\r\n\nbob:${ONE}`;
    expect(change(text, 'anna', TWO)).toBe(`# team\r\nanna:${TWO}\r\n\nbob:${ONE}`);
    expect(change(text, 'bob', TWO)).toBe(`# team\r\nanna:${ONE}\r\n\nbob:${TWO}`);
    expect(change(text, 'carl', TWO)).toBe(`${text}\r\ncarl:${TWO}\r\n`);
    expect(change(text, 'anna')).toBe(`# team\r\n\nbob:${ONE}`);
    expect(change(text, 'carl')).toBe(text);
    expect(change('', 'carl', TWO)).toBe(`carl:${TWO}\n`);
  });

  it('is not changed in a broken file, nor to what no such file can hold', () => {
    expect(() => change('anna\n', 'bob', ONE)).toThrow('users:1');
    expect(() => change('', 'a:b', ONE)).toThrow('not the name of a user');
    expect(() => change('', 'a\nb', ONE)).toThrow('not the name of a user');
    expect(() => change('', 'token', ONE)).toThrow('no user can be called token');
    expect(() => change('', 'anna', 'secret')).toThrow('not hashed with bcrypt');
  });

  it('is what reading the file gives afterwards, whatever the file', () => {
    const user = fc.stringMatching(/^[a-z]{1,2}$/);
    const line = fc.oneof(
      fc.constantFrom('', '# comment', '  '),
      user.map((name) => `${name}:${ONE}`),
    );
    const text = fc
      .tuple(
        fc.uniqueArray(line, { selector: (one) => one.split(':')[0] }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
      )
      .map(([lines, end, isEnded]) => lines.join(end) + (isEnded && lines.length > 0 ? end : ''));
    fc.assert(
      fc.property(text, user, fc.constantFrom(TWO, undefined), (before, name, hash) => {
        const expected = new Map(parseHtpasswd('users', before));
        if (hash === undefined) expected.delete(name);
        else expected.set(name, hash);
        expect(parseHtpasswd('users', change(before, name, hash))).toEqual(expected);
      }),
    );
  });
});

describe('a new hash', () => {
  it('can stand in the file', async () => {
    const hash = await hashPassword('päss word');
    expect(parse(`anna:${hash}\n`)).toEqual({ anna: hash });
    expect(costOf(hash)).toBe(10);
  });

  it.each(['', 'a\0b', 'ä'.repeat(37)])('is not made of what bcrypt would cut: %j', async (password) => {
    await expect(hashPassword(password)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

function refusalOf(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was not refused');
}
