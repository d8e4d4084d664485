import { describe, expect, it } from 'vitest';
import { encodeName } from '../../tar/names.ts';
import { nameOfUrl } from './parse-files.ts';

describe('the name of a file from an address', () => {
  it.each([
    ['http://h/plain', 'plain'],
    ['http://h/dir/', 'dir'],
    ['http://h/a/b//', 'b'],
    ['http://h/f.tar?token=a/b', 'f.tar'],
    ['http://h/f.tar#part/x', 'f.tar'],
    ['http://h/d/?f=x#y', 'd'],
    ['http://h:81/a%20b', 'a b'],
    ['http://h/x%2Fy', 'y'],
    ['http://h/x%2F', 'x'],
    ['http://h/%C3%A9-é', 'é-é'],
    ['http://h/a%3Fb%23c', 'a?b#c'],
    ['http://h/a%5Bb%5D%2A', 'a[b]*'],
    ['http://user:p%2Fw@h/f', 'f'],
    ['http://h', '__unnamed__'],
    ['http://h/', '__unnamed__'],
    ['http://h?x=/y', '__unnamed__'],
    ['http://h/a/..', '__unnamed__'],
    ['http://h/a/%2e%2E/', '__unnamed__'],
    ['http://h/a/.', '__unnamed__'],
    ['http://h/a%00b', '__unnamed__'],
    ['http://h/100%', '__unnamed__'],
    ['https://h/a/../b', 'b'],
    ['http://h/a\\b', 'a\\b'],
  ])('%s is %s', (url, name) => expect(nameOfUrl(url)).toBe(name));

  it('keeps bytes that are no UTF-8', () => {
    expect([...encodeName(nameOfUrl('http://h/%FFx'))]).toEqual([0xff, 0x78]);
  });
});
