import { describe, expect, it } from 'vitest';
import { nearest } from './nearest.ts';

describe('nearest', () => {
  const names = ['getimages', 'lreg_preload', 'lreg_ls', 'lreg_rm', 'serve'];

  it('finds the word that was meant', () => {
    expect(nearest('getimage', names)).toBe('getimages');
    expect(nearest('lreg_prelaod', names)).toBe('lreg_preload');
    expect(nearest('sevre', names)).toBe('serve');
  });

  it('suggests nothing for what is far from all', () => {
    expect(nearest('kubernetes', names)).toBeUndefined();
    expect(nearest('x', ['ab'])).toBeUndefined();
  });
});
