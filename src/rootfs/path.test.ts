import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanPath, linkTarget, pathInRoot } from './path.ts';

describe('a name in an archive', () => {
  it.each([
    ['etc/passwd', 'etc/passwd'],
    ['./etc//passwd', 'etc/passwd'],
    ['/etc/passwd', 'etc/passwd'],
    ['etc/', 'etc'],
    ['./', ''],
    ['.', ''],
    ['', ''],
    ['a/../b', 'b'],
    ['..a/b..', '..a/b..'],
    ['.../x', '.../x'],
    ['a/.b', 'a/.b'],
  ])('%j is the path %j', (name, path) => {
    expect(cleanPath(name)).toBe(path);
  });

  it.each(['..', '../etc/passwd', 'a/../../b', './../x', '/..'])('%j climbs out and is refused', (name) => {
    expect(() => cleanPath(name)).toThrow(/climbs out of the root/);
  });

  it('is not changed by being cleaned again', () => {
    const part = fc.constantFrom('a', '..', '.', '', 'b.', '..c', '...');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        let path: string;
        try {
          path = cleanPath(parts.join('/'));
        } catch {
          return;
        }
        expect(cleanPath(path)).toBe(path);
        expect(path.split('/')).not.toContain('..');
      }),
    );
  });
});

describe('the path that a user means', () => {
  it('never climbs out of the root', () => {
    expect(pathInRoot('/etc//passwd')).toBe('etc/passwd');
    expect(pathInRoot('../../etc/./passwd/')).toBe('etc/passwd');
    expect(pathInRoot('etc/..')).toBe('');
  });
});

describe('the target of a symbolic link', () => {
  it('stays inside the root, whatever it says', () => {
    expect(linkTarget('usr/bin/sh', 'dash')).toBe('usr/bin/dash');
    expect(linkTarget('etc/os-release', '../usr/lib/os-release')).toBe('usr/lib/os-release');
    expect(linkTarget('a/b', '../../../../etc/passwd')).toBe('etc/passwd');
    expect(linkTarget('a/b', '/x/./y/')).toBe('x/y');
  });
});
