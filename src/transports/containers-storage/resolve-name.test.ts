import { describe, expect, it } from 'vitest';
import { createResolver } from './resolve-name.ts';

const links: Readonly<Record<string, string>> = {
  lib: 'usr/lib',
  'usr/lib64': '/lib',
  out: '../../../etc',
  a: 'b',
  b: 'a',
  'usr/up': '..',
};
const resolve = createResolver((path) => links[path]);

describe('a name of a layer, in its unpacked tree', () => {
  it.each([
    ['etc/motd', 'etc/motd'],
    ['./etc//motd', 'etc/motd'],
    ['/etc/motd', 'etc/motd'],
    ['lib/x.so', 'usr/lib/x.so'],
    ['usr/lib64/x.so', 'usr/lib/x.so'],
    ['usr/up/usr/up/lib/x', 'usr/lib/x'],
    // The last name is not followed: the layer itself has a link there.
    ['lib', 'lib'],
    // Nothing leads out of the tree.
    ['out/passwd', 'etc/passwd'],
    ['../../etc/passwd', 'etc/passwd'],
  ])('%s stands at %s', (name, path) => {
    expect(resolve(name)).toBe(path);
  });

  it('is nowhere behind links in a circle', () => {
    expect(resolve('a/x')).toBeUndefined();
    expect(resolve('')).toBeUndefined();
  });
});
