// What tests of costs have in common: the growth of the cost of a directory, and texts of any length.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { growth } from '../../../test/testing/growth.ts';
import { scan } from '../scan.ts';

export type Files = Readonly<Record<string, string>>;

/** How the cost of a scan grows with the files that `make` gives. They are written before anything is measured: what a file system does beside, other programs decide. */
export async function growthOfScan(count: number, make: (count: number) => Files): Promise<number> {
  return await growth(
    count,
    (size) => written(make(size)),
    (directory) => scan(directory),
  );
}

function written(files: Files): string {
  const directory = mkdtempSync(join(tmpdir(), 'images-cost-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), text);
  }
  return directory;
}

export function repeat(count: number, one: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => one(i)).join('');
}

export function pod(i: number): string {
  return `apiVersion: v1\nkind: Pod\nmetadata: {name: p${i}}\nspec:\n  containers:\n  - name: c\n    image: q.io/a/b:${i}\n    env: [{name: A, value: a}]\n`;
}
