import { describe, expect, it } from 'vitest';
import { ownerOf, parseAccounts, userOf } from './owners.ts';

const accounts = parseAccounts(
  'root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1001:Bob:/home/bob:/bin/sh\nbroken\n# comment\n',
  'root:x:0:\nbob:x:1001:\nstaff:x:50:eve,bob\nwheel:x:10:bob\n',
);

describe('--chown', () => {
  it.each([
    ['5', { uid: 5, gid: 5 }],
    ['5:6', { uid: 5, gid: 6 }],
    ['bob', { uid: 1000, gid: 1001 }],
    ['bob:staff', { uid: 1000, gid: 50 }],
    ['7:wheel', { uid: 7, gid: 10 }],
    ['bob:0', { uid: 1000, gid: 0 }],
    [':staff', { uid: 0, gid: 50 }],
  ])('accepts %s', (text, owner) => expect(ownerOf(text, accounts)).toEqual(owner));

  it('refuses names that the image does not have, with the nearest one', () => {
    expect(() => ownerOf('bbo', accounts)).toThrow('the image has no such user [bbo]');
    expect(() => ownerOf('0:stuff', accounts)).toThrow('the image has no such group [stuff]');
    expect(() => ownerOf('bob', parseAccounts('', ''))).toThrow('no such user');
  });

  it('knows root without any file', () => {
    expect(ownerOf('root:root', parseAccounts('', ''))).toEqual({ uid: 0, gid: 0 });
  });
});

describe('the user of a USER instruction', () => {
  it.each([
    ['', { uid: 0, gid: 0, groups: [0], home: '/root' }],
    ['bob', { uid: 1000, gid: 1001, groups: [1001, 50, 10], home: '/home/bob' }],
    ['1000', { uid: 1000, gid: 1001, groups: [1001, 50, 10], home: '/home/bob' }],
    ['1234', { uid: 1234, gid: 0, groups: [0], home: '/' }],
    ['bob:wheel', { uid: 1000, gid: 10, groups: [10], home: '/home/bob' }],
    ['1234:5', { uid: 1234, gid: 5, groups: [5], home: '/' }],
  ])('is found for %j', (text, user) => expect(userOf(text, accounts)).toEqual(user));
});
