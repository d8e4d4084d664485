import { expect, it } from 'vitest';
import { ImagesError } from '../../oci/errors.ts';
import { inOneLine } from './in-one-line.ts';

it('an error is one line, with its mend if it has one', () => {
  expect(inOneLine(new ImagesError('USAGE', 'it is wrong', { hint: 'Mend it.' }))).toBe('it is wrong. Mend it.');
  expect(inOneLine(new ImagesError('USAGE', 'it is wrong'))).toBe('it is wrong');
  expect(inOneLine(new Error('a bug'))).toBe('Error: a bug');
});
