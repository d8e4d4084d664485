import { describe, expect, it } from 'vitest';
import { parseMode } from './chmod.ts';

describe('--chmod', () => {
  it.each([
    ['755', 0o644, false, 0o755],
    ['07777', 0, false, 0o7777],
    ['u+x', 0o644, false, 0o744],
    ['a+x', 0o644, false, 0o755],
    ['+x', 0o644, false, 0o755],
    ['go-rwx', 0o755, false, 0o700],
    ['u=rwX,go=rX', 0o600, false, 0o644],
    ['u=rwX,go=rX', 0o600, true, 0o755],
    ['u=rwX,go=rX', 0o700, false, 0o755],
    ['u+s,g+s', 0o755, false, 0o6755],
    ['+t', 0o777, true, 0o1777],
    ['g=u', 0o740, false, 0o770],
    ['u=', 0o4755, false, 0o055],
    ['a-w+x', 0o666, false, 0o555],
  ])('%s makes %o', (text, mode, isDirectory, expected) => {
    expect(parseMode(text)?.(mode, isDirectory)).toBe(expected);
  });

  it.each(['8', '10000', 'u', 'x+y', 'rwx', 'u+x,', '-1', ''])('refuses %j', (text) => {
    expect(parseMode(text)).toBeUndefined();
  });
});
