import { expect, it } from 'vitest';
import {
  ARRAY,
  type ArgumentKind,
  arrayOf,
  checkArguments,
  FUNCTION,
  NUMBER,
  OBJECT,
  objectWith,
  orAbsent,
  TEXT,
} from './arguments.ts';

it.each<[string, unknown, ArgumentKind]>([
  ['text is not a string [number]', 1, TEXT],
  ['text is not a number [string]', 'secret', NUMBER],
  ['text is not a function [undefined]', undefined, FUNCTION],
  ['text is not an array [object]', {}, ARRAY],
  ['text is not an object [array]', [], OBJECT],
  ['text is not an object [null]', null, OBJECT],
  ['text[1] is not a string [number]', ['a', 2], arrayOf(TEXT)],
  ['text is not an array [string]', 'a', arrayOf(TEXT)],
  ['text.from is not a string [undefined]', {}, objectWith({ from: TEXT })],
  [
    'text.all[0].to is not a string [null]',
    { all: [{ to: null }] },
    objectWith({ all: arrayOf(objectWith({ to: TEXT })) }),
  ],
  ['text is not a string [boolean]', true, orAbsent(TEXT)],
])('the argument %s', (message, value, kind) => {
  const check = () => checkArguments({ fine: ['x', TEXT], text: [value, kind] });
  expect(check).toThrow(expect.objectContaining({ code: 'USAGE', message: `the argument ${message}` }));
});

it('what is right passes, and so does what an object has besides', () => {
  checkArguments({
    text: ['', TEXT],
    none: [undefined, orAbsent(TEXT)],
    list: [['a'], arrayOf(TEXT)],
    object: [{ from: 'a', more: 1 }, objectWith({ from: TEXT })],
    own: [new Map(), OBJECT],
  });
});
