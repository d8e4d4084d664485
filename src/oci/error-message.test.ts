import { describe, expect, it } from 'vitest';
import { ImagesError } from './errors.ts';

const part = {
  image: 'quay.io/a/b:1',
  end: 'source',
  label: 'quay.io',
  what: 'blob sha256:1',
  isRegistry: true,
} as const;

describe('the message of an error', () => {
  it('ends with the words of the other side, once', () => {
    expect(new ImagesError('DENIED', 'quay.io: access is denied', { said: 'no' }).message).toBe(
      'quay.io: access is denied [no]',
    );
    expect(new ImagesError('DENIED', 'the daemon says: no', { said: 'no' }).message).toBe('the daemon says: no');
    expect(new ImagesError('DENIED', 'quay.io: access is denied', { said: '' })).toMatchObject({
      message: 'quay.io: access is denied',
      said: undefined,
    });
  });

  it('of a part of a copy begins with the image, names source or destination, and keeps the cause as data', () => {
    const request = { method: 'GET', url: 'https://quay.io/v2/' };
    const cause = new ImagesError('DENIED', 'quay.io: access is denied', { said: 'no', status: 403, request });
    const error = new ImagesError(cause.code, cause.message, { part, cause });
    expect(error).toMatchObject({
      message: 'quay.io/a/b:1: source quay.io fails at blob sha256:1: quay.io: access is denied [no]',
      end: 'source',
      part,
      said: 'no',
      status: 403,
      method: 'GET',
      url: 'https://quay.io/v2/',
    });
    const around = new ImagesError('DENIED', 'it failed', { cause: error });
    expect(around).toMatchObject({ message: 'it failed', end: 'source', said: 'no' });
  });

  it('has no credentials, and neither has its data', () => {
    const label = 'https://me:secret@quay.io';
    const error = new ImagesError('DENIED', 'x', { said: `see ${label}/a`, part: { ...part, label } });
    const { message, said, part: kept } = error;
    expect(JSON.stringify({ message, said, kept })).not.toContain('secret');
  });
});
