import { execFileSync } from 'node:child_process';
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

it('CONTRIBUTING.md names every file that names the oldest Node', () => {
  const oldest = rows.find(({ what }) => what === 'the oldest Node');
  const patterns = [oldest?.version ?? '', oldest?.version.replaceAll('.', ', ') ?? ''].flatMap((text) => ['-e', text]);
  const found = execFileSync('git', ['grep', '-lF', ...patterns], { cwd: ROOT, encoding: 'utf8' })
    .trim()
    .split('\n');
  const notByHand = ['CONTRIBUTING.md', 'CHANGELOG.md', 'package-lock.json', 'test/oldest-node/package-lock.json'];
  expect(
    found.filter((file) => !notByHand.includes(file) && file !== 'test/structure/versions.test.ts').sort(),
  ).toEqual(oldest?.files.toSorted());
});
