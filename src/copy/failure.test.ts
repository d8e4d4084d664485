import { describe, expect, it } from 'vitest';
import { ImagesError } from '../oci/errors.ts';
import { failureOf } from './failure.ts';

const image = 'quay.io/a/b:1';
const part = { image, end: 'source', label: `docker://${image}`, what: 'blob sha256:1' } as const;

describe('a failure of a copy', () => {
  it('says which end fails at what, and keeps code, hint and cause', () => {
    const error = new ImagesError('BROKEN_OFF', 'quay.io closed the connection', { hint: 'Again.' });
    expect(failureOf(error, { ...part, end: 'destination', label: 'localhost:5000' })).toMatchObject({
      code: 'BROKEN_OFF',
      message: `${image}: destination localhost:5000 fails at blob sha256:1: quay.io closed the connection`,
      hint: 'Again.',
      cause: error,
    });
  });

  it('says no more than is needed where the registry names the image, or the source is called like it', () => {
    const said = (text: string) => failureOf(new ImagesError('SERVER_ERROR', text), part) as ImagesError;
    expect(said('quay.io closed the connection').message).toBe(
      `${image}: source fails at blob sha256:1: quay.io closed the connection`,
    );
    expect(said(`quay.io: there is no manifest ${image}`).message).toBe(
      `${image}: quay.io: there is no manifest ${image}`,
    );
  });

  it('says plainly that an image is not there', () => {
    const error = new ImagesError('NAME_UNKNOWN', 'quay.io: there is no manifest a/b:1 [repository name not known]');
    expect(failureOf(error, { ...part, what: 'manifest' })).toMatchObject({
      code: 'NAME_UNKNOWN',
      message: `${image}: its registry has no such image`,
    });
  });

  it('of the source’s content says what to do, where the source itself does not', () => {
    const failed = (end: 'source' | 'destination', hint?: string) =>
      failureOf(new ImagesError('DIGEST_INVALID', 'digest is x', hint === undefined ? {} : { hint }), { ...part, end });
    expect(failed('source')).toMatchObject({ hint: expect.stringContaining('damaged') });
    expect(failed('source', 'Own.')).toMatchObject({ hint: 'Own.' });
    expect(failed('destination')).toMatchObject({ hint: undefined });
  });

  it('is described once, by the code nearest to it; bugs and aborts are left alone', () => {
    const failure = failureOf(new ImagesError('TIMEOUT', 'silence'), part);
    expect(failureOf(failure, { ...part, what: 'manifest' })).toBe(failure);
    for (const error of [new TypeError('bug'), new ImagesError('ABORTED', 'interrupted')]) {
      expect(failureOf(error, part)).toBe(error);
    }
  });
});
