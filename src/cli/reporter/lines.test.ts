import { describe, expect, it } from 'vitest';
import { ImagesError } from '../../oci/errors.ts';
import { failureLine, lineOf } from './lines.ts';

describe('a failure as a line', () => {
  it('names the image once, whether the error names it or not', () => {
    const named = new ImagesError('MANIFEST_UNKNOWN', 'a.io/x:1: source fails');
    const unnamed = new ImagesError('REFERENCE_INVALID', 'not an image reference [x::]');
    expect(failureLine({ image: 'a.io/x:1', error: named })).toBe('a.io/x:1: source fails');
    expect(failureLine({ image: 'x::', error: unnamed })).toBe('x::: not an image reference [x::]');
    expect(lineOf({ type: 'image-failed', image: 'a.io/x:1', error: named })).toBe('FAILED a.io/x:1: source fails');
  });
});
