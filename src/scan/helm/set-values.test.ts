import { describe, expect, it } from 'vitest';
import { setValues } from './set-values.ts';
import { type Dictionary, dictionary } from './template/values.ts';

function set(text: string, options?: { readonly isString: boolean }, values: Dictionary = dictionary()): unknown {
  setValues(values, text, options);
  return JSON.parse(JSON.stringify(values));
}

describe('--set', () => {
  it.each([
    ['a=b', { a: 'b' }],
    ['a.b=c,d=e', { a: { b: 'c' }, d: 'e' }],
    ['a=1,b=1.20,c=true,d=null,e=007,f=0', { a: 1, b: '1.20', c: true, d: null, e: '007', f: 0 }],
    ['list={a,2}', { list: ['a', 2] }],
    ['list={}', { list: [] }],
    ['a[1].b=c,a[0]=x', { a: ['x', { b: 'c' }] }],
    ['a[0][1]=x', { a: [[null, 'x']] }],
    ['a\\.b/c=d\\,e', { 'a.b/c': 'd,e' }],
    ['image=quay.io/x/y:1=2', { image: 'quay.io/x/y:1=2' }],
    ['a=', { a: '' }],
  ])('%s', (text, expected) => {
    expect(set(text)).toEqual(expected);
  });

  it('keeps texts with --set-string', () => {
    expect(set('a=1,b=true,c=null', { isString: true })).toEqual({ a: '1', b: 'true', c: 'null' });
  });

  it('goes into what is there', () => {
    expect(set('a.b=2', undefined, dictionary([['a', dictionary([['c', 1]])]]))).toEqual({ a: { b: 2, c: 1 } });
  });

  it.each([
    'a',
    'a,b=1',
    '=b',
    '.a=b',
    'a[x]=1',
    'a[0=1',
    'a[99999999]=1',
    'a={b',
    'a={b}c',
    'a[0]b=1',
    `${'a.'.repeat(50)}b=1`,
  ])('refuses %s', (text) => {
    expect(() => set(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
