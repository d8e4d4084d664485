import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RULES } from '../../src/transports/containers-storage/doctor/problem.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

it('every rule of the doctor is explained, and some test breaks it', () => {
  const page = read('docs/pre-pulled-images.md');
  const tests = read('src/transports/containers-storage/doctor/check-store.test.ts');
  for (const [rule, text] of Object.entries(RULES)) {
    expect(page).toContain(`| \`${rule}\` | ${text} |`);
    expect(tests).toMatch(new RegExp(`\\[\\s*'${rule}'`));
  }
});
