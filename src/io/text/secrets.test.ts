import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growth, LINEAR } from '../../../test/testing/growth.ts';
import { rememberSecrets, withoutSecrets } from './secrets.ts';

const SECRET = 'S3cret "pä&ss\\wörd"/+x';
const PAIR = Buffer.from(`alice:${SECRET}`).toString('base64');
rememberSecrets(SECRET, PAIR, 'ab1');

const everyByte = (text: string) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
const everyUnit = (text: string) =>
  Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');

describe('a secret that was sent', () => {
  it.each([
    ['as it is', (text: string) => text],
    ['percent-encoded', encodeURIComponent],
    [
      'percent-encoded in small letters',
      (text: string) => encodeURIComponent(text).replaceAll(/%../g, (code) => code.toLowerCase()),
    ],
    ['percent-encoded in whole', everyByte],
    ['as a form has it', (text: string) => new URLSearchParams({ x: text }).toString().slice(2)],
    ['in JSON', (text: string) => JSON.stringify(text)],
    ['in JSON in JSON', (text: string) => JSON.stringify(JSON.stringify({ text }))],
    ['in JSON with escapes only', everyUnit],
    ['as HTML', (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&#34;').replaceAll('ä', '&#xE4;')],
    ['twice percent-encoded', (text: string) => encodeURIComponent(encodeURIComponent(text))],
  ])('is not repeated %s', (_how, write) => {
    for (const secret of [SECRET, PAIR]) {
      const text = withoutSecrets(`you sent [${write(secret)}], ünwanted`);
      expect(text).toMatch(/^you sent \[.*\*\*\*.*\], ünwanted$/s);
      expect(text).not.toContain('S3cret');
      expect(text).not.toContain(PAIR.slice(0, 12));
    }
  });

  it('is not repeated in base64url, or without its padding', () => {
    const token = Buffer.from('>>>???>>>???').toString('base64');
    rememberSecrets(token);
    expect(withoutSecrets(`x ${Buffer.from('>>>???>>>???').toString('base64url')} y`)).toBe('x *** y');
    expect(withoutSecrets(`x ${PAIR.replace(/=+$/, '')} y`)).toBe('x *** y');
  });

  it('leaves everything around it as it was, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (before, after) => {
        fc.pre(!/[:@%&\\]|ab1/.test(before + after));
        const text = withoutSecrets(`${before} ${SECRET} ${after}`);
        expect(text).toBe(`${before} *** ${after}`.toWellFormed());
      }),
    );
  });

  it('of a few letters does not hide parts of words', () => {
    expect(withoutSecrets('crab1e, [ab1], ab12')).toBe('crab1e, [***], ab12');
  });
});

describe('what looks like a secret of anybody', () => {
  it.each([
    ['see https://bob:hunter2@x.example/y', 'see https://***@x.example/y'],
    ['see https://b@b:hun@ter2@x.example/y', 'see https://***@x.example/y'],
    [`sent Bearer ${'a1'.repeat(20)}.`, 'sent Bearer ***'],
    ['at https://s3/x?X-Amz-Signature=abc123&part=1', 'at https://s3/x?X-Amz-Signature=***&part=1'],
    ['eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl is expired', '*** is expired'],
  ])('in %j is not repeated', (text, expected) => {
    expect(withoutSecrets(text)).toBe(expected);
  });

  it('is found in time proportional to the text', async () => {
    for (const piece of ['-eyJ', '&a', '://', 'Basic ', 'a:', '%25', '\\\\u', '&#']) {
      const grows = await growth(16_000, (length) => piece.repeat(length / piece.length), withoutSecrets);
      expect([piece, grows < LINEAR]).toEqual([piece, true]);
    }
  });

  it.each([
    'Basic authentication is required for docker.io/library/alpine:3.20',
    'unauthorized: Bearer token needed',
    `docker://127.0.0.1:5000/app:1@sha256:${'a'.repeat(64)}`,
    'quay.io:443/a/b@sha256:12 and me@example.com',
  ])('is not %j', (text) => {
    expect(withoutSecrets(text)).toBe(text);
  });
});
