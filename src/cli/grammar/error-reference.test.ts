import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OTHER_ERRORS, REGISTRY_ERRORS } from '../../oci/error-codes.ts';
import { errorHelp, errorReference, unknownCode } from './error-reference.ts';

const CODES = [...Object.keys(REGISTRY_ERRORS), ...Object.keys(OTHER_ERRORS)];

describe('the codes of errors', () => {
  it('are all in the reference, with cause and remedy as sentences', () => {
    const page = errorReference();
    for (const code of CODES) expect(page).toMatch(new RegExp(`^\\| \`${code}\` \\| .+[.] \\| .+[.] \\|$`, 'm'));
  });

  it('are shown one by one or all together, however they are written', () => {
    expect(errorHelp('no-space')).toMatch(/^NO_SPACE\n {2}A file system is full/);
    expect(errorHelp('errors')?.match(/^[A-Z_]+$/gm)).toEqual(CODES);
    expect(errorHelp('POLICY_FROZEN')).toMatch(/^POLICY_FROZEN\n {2}A policy of the registry/);
    for (const name of ['nonsense', 'constructor', '']) expect(errorHelp(name)).toBeUndefined();
  });

  it('are suggested for one that is misspelt', () => {
    expect(unknownCode('NO_SPICE')).toMatchObject({
      message: 'unknown error code [NO_SPICE]',
      hint: 'Did you mean `images help NO_SPACE`?',
    });
    expect(unknownCode('SOMETHING_ELSE').hint).toMatch('`images help errors`');
  });

  it('are each used somewhere', () => {
    const src = join(import.meta.dirname, '../..');
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' });
    const texts = files
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== 'oci/error-codes.ts')
      .map((file) => readFileSync(join(src, file), 'utf8'))
      .join('\n');
    expect(CODES.filter((code) => !texts.includes(`'${code}'`))).toEqual([]);
  });
});
