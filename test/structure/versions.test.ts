import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Rows of "Versions that stand in the code": what, version, files. */
const rows = [...read('CONTRIBUTING.md').matchAll(/^\| ([^|]+) \| `([\w.]+)` \| ([^|]+) \| [^|]+ \|$/gm)].map(
  ([, what = '', version = '', files = '']) => ({
    what,
    version,
    files: [...files.matchAll(/`([^`]+)`/g)].map(([, file]) => file as string),
  }),
);

it('CONTRIBUTING.md tells which versions stand in the code, and where', () => {
  expect(rows.length).toBeGreaterThan(5);
  for (const { what, version, files } of rows) {
    // As numbers too: `[22, 19]`.
    const written = [version, version.replaceAll('.', ', ')];
    for (const file of files)
      expect(
        written.some((text) => read(file).includes(text)),
        `${what} in ${file}`,
      ).toBe(true);
  }
});
