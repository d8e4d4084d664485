import { describe, expect, it } from 'vitest';
import { ignoreLines, parseIgnore } from './ignore.ts';
import { compilePatterns } from './patterns.ts';

describe('.dockerignore', () => {
  const ignored = (text: string, path: string) => parseIgnore('.dockerignore', text).matches(path);

  it.each([
    ['*.md', 'README.md', true],
    ['*.md', 'docs/README.md', false],
    ['**/*.md', 'docs/a/README.md', true],
    ['**/*.md', 'README.md', true],
    ['*\n!README.md', 'README.md', false],
    ['*.md\n!README*.md\nREADME-secret.md', 'README-secret.md', true],
    ['*.md\nREADME-secret.md\n!README*.md', 'README-secret.md', false],
    ['node_modules', 'node_modules/a/b', true],
    ['/node_modules/', 'node_modules', true],
    ['./build/../out', 'out', true],
    ['a/**/z', 'a/z', true],
    ['a/**/z', 'a/b/c/z', true],
    ['a/**', 'a/b', true],
    ['a/**', 'ab', false],
    ['**', 'anything', true],
    ['temp?', 'temps', true],
    ['temp?', 'temp', false],
    ['[a-c]*', 'bcd', true],
    ['[^a-c]*', 'bcd', false],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['# comment\n\n  spaced  ', 'spaced', true],
    ['# comment', '# comment', false],
    ['!x', 'x', false],
    ['a.b+c(d)', 'a.b+c(d)', true],
    ['dir\n!dir/keep', 'dir/keep', false],
    ['dir\n!dir/keep', 'dir/other', true],
  ])('%j and %s: %s', (text, path, expected) => expect(ignored(text, path)).toBe(expected));

  it.each(['!', '[a', 'x\\'])('refuses %j', (text) => {
    expect(() => parseIgnore('x/.dockerignore', text)).toThrow(/^x\/\.dockerignore: /);
  });

  it('is read without its BOM and with blanks after !', () => {
    expect(ignoreLines('\ufeffa\n! b/../c')).toEqual(['a', '!c']);
  });

  it('says whether what is ignored has to be looked into', () => {
    expect(compilePatterns(['a', '!a/b']).takeBack).toBe(true);
    expect(compilePatterns(['a']).takeBack).toBe(false);
  });
});
