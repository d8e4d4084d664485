import { describe, expect, it } from 'vitest';
import { answerWords } from './answer-words.ts';

const JSON_TYPE = 'application/json';
const said = (body: unknown, type = JSON_TYPE) =>
  answerWords(typeof body === 'string' ? body : JSON.stringify(body), type).said;
const error = (detail: unknown) => ({ errors: [{ code: 'manifest_invalid', message: 'manifest invalid', detail }] });

describe('what a registry’s error says', () => {
  it('has its codes in capitals', () => {
    expect(answerWords(JSON.stringify(error(null)), JSON_TYPE).codes).toEqual(['MANIFEST_INVALID']);
  });

  it.each([
    [null, 'manifest invalid'],
    ['', 'manifest invalid'],
    [{}, 'manifest invalid'],
    ['manifest invalid', 'manifest invalid'],
    ['the layer is foreign', 'manifest invalid: the layer is foreign'],
    [{ message: 'failed to parse' }, 'manifest invalid: failed to parse'],
    [{ Message: 'failed', Reason: 'too old' }, 'manifest invalid: failed: too old'],
    [{ digest: 'sha256:85bc' }, 'manifest invalid: digest: sha256:85bc'],
    [{ Tag: '3', count: 2, none: null }, 'manifest invalid: Tag: 3, count: 2'],
    [{ error: { deep: ['a', { message: 'b' }] } }, 'manifest invalid: deep: a, b'],
    [['a', 'a', { description: 'b' }], 'manifest invalid: a, b'],
  ])('with the detail %j is %j', (detail, expected) => {
    expect(said(error(detail))).toBe(expected);
  });

  it('is that of all its errors, each once', () => {
    const errors = [{ code: 'A', message: 'a' }, { code: 'B' }, { code: 'A', message: 'a' }, 'c', null];
    expect(said({ errors })).toBe('a; B; c');
    expect(said({ errors: Array.from({ length: 9 }, (_, at) => ({ message: `e${at}` })) })).toBe(
      'e0; e1; e2; e3; e4; and 4 more',
    );
  });
});

describe('what errors of other servers say', () => {
  it.each([
    [{ details: 'incorrect username or password' }, 'incorrect username or password'],
    [{ detail: 'no such user' }, 'no such user'],
    [
      { error: 'invalid_grant', error_description: 'the token has been revoked' },
      'the token has been revoked: invalid_grant',
    ],
    [{ message: 'over quota', code: 403 }, 'over quota'],
    [{ error: { code: 403, message: 'billing is off', status: 'PERMISSION_DENIED' } }, 'billing is off'],
    [{ errors: { name: ['is taken'] } }, 'name: is taken'],
    [{ errors: 'all is wrong' }, 'all is wrong'],
    [{ errors: null, message: 'gone' }, 'gone'],
    [{ type: 'about:blank', title: 'Forbidden', detail: 'read-only', status: 403 }, 'read-only: Forbidden'],
    [['one', 'two'], 'one; two'],
    [{ token: 'abc', access_token: 'abc', Password: 'abc', nested: { apiKey: 'abc' }, lifetime: 60 }, 'lifetime: 60'],
    ['"just text"', 'just text'],
    ['{}', ''],
    ['null', ''],
    ['{"errors":[', '{"errors":['],
  ])('in %j is %j', (body, expected) => {
    expect(said(body)).toBe(expected);
  });

  it.each([
    ['404 page not found\n', 'text/plain; charset=utf-8', '404 page not found'],
    ['upstream connect error', '', 'upstream connect error'],
    ['<html><head><title>\n Log in </title></head><body>…', 'text/html', 'Log in'],
    ['<html><body><h1>413 Request Entity Too Large</h1>', 'text/html', '413 Request Entity Too Large'],
    [
      '<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>The key does not exist.</Message></Error>',
      'application/xml',
      'The key does not exist.',
    ],
    ['<html><body>…', 'text/html', ''],
    ['\u0000\u0001', 'application/octet-stream', ''],
  ])('in %j (%s) is %j', (body, type, expected) => {
    expect(said(body, type)).toBe(expected);
  });

  it('is bounded in length, whatever it is', () => {
    let deep: unknown = 'x';
    for (let depth = 0; depth < 1000; depth += 1) deep = { message: [deep] };
    for (const body of [deep, 'x'.repeat(100_000), { message: 'y '.repeat(10_000) }]) {
      expect(said(body, 'text/plain').length).toBeLessThanOrEqual(300);
    }
  });
});
