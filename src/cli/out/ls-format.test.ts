import { expect, it } from 'vitest';
import type { TarHeader } from '../../tar/entry.ts';
import { jsonOfFile, longLines, modeText, timeText } from './ls-format.ts';

const FILE: TarHeader = {
  name: 'a',
  type: 'file',
  size: 1234,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: { seconds: 1_700_000_000, nanoseconds: 0 },
  linkname: '',
  device: { major: 0, minor: 0 },
  xattrs: new Map(),
};
const line = (header: TarHeader, name = 'a') => longLines([header])({ name, header });

it.each<[Partial<TarHeader>, string]>([
  [{}, '-rw-r--r--'],
  [{ type: 'directory', mode: 0o1777 }, 'drwxrwxrwt'],
  [{ type: 'directory', mode: 0o1776 }, 'drwxrwxrwT'],
  [{ mode: 0o4755 }, '-rwsr-xr-x'],
  [{ mode: 0o6644 }, '-rwSr-Sr--'],
  [{ mode: 0o2710 }, '-rwx--s---'],
  [{ type: 'symlink', mode: 0o777 }, 'lrwxrwxrwx'],
  [{ type: 'fifo', mode: 0 }, 'p---------'],
  [{ xattrs: new Map([['user.a', new Uint8Array(1)]]) }, '-rw-r--r--+'],
])('the mode of %o is %s', (fields, expected) => {
  expect(modeText({ ...FILE, ...fields })).toBe(expected);
});

it('a line has what `ls -l` has, in UTC', () => {
  expect(line(FILE)).toBe('-rw-r--r-- 0 0 1234 2023-11-14 22:13:20 a');
  expect(line({ ...FILE, type: 'symlink', size: 0, linkname: '../b' })).toMatch(/ a -> \.\.\/b$/);
  expect(line({ ...FILE, type: 'hardlink', size: 0, linkname: 'b' })).toMatch(/ a link to b$/);
  expect(line({ ...FILE, type: 'character', device: { major: 1, minor: 3 } })).toMatch(/^c\S+ 0 0 1,3 /);
});

it('lines are aligned', () => {
  const other = { ...FILE, uid: 100_000, size: 5, xattrs: new Map([['user.a', new Uint8Array(1)]]) };
  const format = longLines([FILE, other]);
  expect([format({ name: 'a', header: FILE }), format({ name: 'b', header: other })]).toEqual([
    '-rw-r--r--       0 0 1234 2023-11-14 22:13:20 a',
    '-rw-r--r--+ 100000 0    5 2023-11-14 22:13:20 b',
  ]);
});

it('a name cannot drive the terminal', () => {
  expect(line(FILE, 'a\u001b[2J')).not.toContain('\u001b');
});

it('a time that no calendar has is in seconds', () => {
  expect(timeText({ seconds: 1e15, nanoseconds: 0 })).toBe('@1000000000000000');
});

it('for programs, what a file lacks is left out', () => {
  expect(jsonOfFile({ name: 'a', header: FILE })).toEqual({
    path: 'a',
    type: 'file',
    mode: '0644',
    uid: 0,
    gid: 0,
    size: 1234,
    mtime: '2023-11-14T22:13:20Z',
  });
  const device = { ...FILE, type: 'block', device: { major: 8, minor: 1 } } as const;
  expect(jsonOfFile({ name: 'sda1', header: device })).toMatchObject({ device: [8, 1] });
  const link = { ...FILE, type: 'symlink', linkname: 'b', mtime: { seconds: 0, nanoseconds: 1_500_000 } } as const;
  expect(jsonOfFile({ name: 'a', header: link })).toMatchObject({ linkname: 'b', mtime: '1970-01-01T00:00:00.0015Z' });
  const old = { ...FILE, mtime: { seconds: 1e15, nanoseconds: 0 }, xattrs: new Map([['user.a', Buffer.from('hi')]]) };
  expect(jsonOfFile({ name: 'a', header: old })).toMatchObject({
    mtime: '@1000000000000000',
    xattrs: { 'user.a': 'aGk=' },
  });
});
