import { describe, expect, it } from 'vitest';
import { nearest } from './nearest.ts';

describe('the nearest word', () => {
  const names = ['getimages', 'lreg_preload', 'lreg_ls', 'lreg_rm', 'serve'];

  it('is the word that was probably meant', () => {
    expect(nearest('getimage', names)).toBe('getimages');
    expect(nearest('lreg_prelaod', names)).toBe('lreg_preload');
    expect(nearest('sevre', names)).toBe('serve');
  });

  it('is none if all words are too different', () => {
    expect(nearest('kubernetes', names)).toBeUndefined();
    expect(nearest('x', ['ab'])).toBeUndefined();
  });
});
