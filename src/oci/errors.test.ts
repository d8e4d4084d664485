import { describe, expect, it } from 'vitest';
import { ImagesError, withoutUserinfo } from './errors.ts';

describe('an error', () => {
  it('shows no user and password of an address, in message, hint and excerpt', () => {
    const line = '  2 | ADD https://me:hunter2@x.example/y /y';
    const error = new ImagesError('UNREACHABLE', 'cannot reach [http://me:hunter2@x.example/y]', {
      hint: 'Check oci://t0ken@x.example.',
      excerpt: [line, '    | ^^^'],
    });
    expect(error.message).toBe('cannot reach [http://***@x.example/y]');
    expect(error.hint).toBe('Check oci://***@x.example.');
    expect(error.excerpt[0]).toBe('  2 | ADD https://**********@x.example/y /y');
    expect(error.excerpt[0]).toHaveLength(line.length);
    expect(error.stack).not.toContain('hunter2');
  });

  it('knows the request that failed, also if it wraps the error that says so', () => {
    const request = { method: 'GET', url: 'https://x.example/v2/' };
    const inner = new ImagesError('DENIED', 'no', { status: 403 })
      .during(request)
      .during({ ...request, method: 'PUT' });
    const outer = new ImagesError('DENIED', 'the source says no', { cause: inner });
    expect(outer).toMatchObject({ ...request, status: 403 });
    expect(new ImagesError('DENIED', 'no')).toMatchObject({ method: undefined, url: undefined, status: undefined });
  });
});

describe('text without userinfo', () => {
  it.each([
    ['me:hunter2@quay.io/x', '***@quay.io/x'],
    ['http://a@b:c@d/e', 'http://***@d/e'],
    [`docker://quay.io:443/x:1@sha256:${'a'.repeat(64)}`, undefined],
    ['quay.io:443/x@sha256:12/', undefined],
    ['ssh://git@x/y, git@github.com:a/b.git', undefined],
    ['ssh://git:hunter2@x/y', 'ssh://***@x/y'],
    ['alpine:3.20@sha256:12', undefined],
    ['mail me@example.com, see https://x/@scope/y', undefined],
  ])('is made of %s', (text, expected) => {
    expect(withoutUserinfo(text)).toBe(expected ?? text);
  });
});
