// What is many is neither left out nor put on a stack, which holds some 120,000 values. Where that takes time, the stack is small instead.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { visitsOf } from './walk.ts';

const MANY = 17_000;
/** In KB. The scan itself needs less than 64. */
const STACK = 100;
const SCANNER = join(import.meta.dirname, 'testing/small-stack.ts');

const repeat = (count: number, one: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => one(i)).join('');

/** Scans a directory with these files, on a stack that holds fewer values than `MANY`. */
async function scanned(files: Readonly<Record<string, string>>): Promise<unknown> {
  const directory = await mkdtemp(join(tmpdir(), 'images-many-'));
  try {
    for (const [file, text] of Object.entries(files)) await writeFile(join(directory, file), text);
    const args = [`--stack-size=${STACK}`, '--no-warnings', SCANNER, directory];
    const { held, ...found } = JSON.parse((await promisify(execFile)(process.execPath, args)).stdout);
    expect(held).toBeLessThan(MANY);
    return found;
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe('the cost of a text', () => {
  it('is paid for all of it: no value is left out because there are many', () => {
    const count = 300_000;
    const document = { file: 'f', value: new Array<string>(count).fill('a'), lineOf: () => 1, lineInText: () => 1 };
    expect(visitsOf(document)).toHaveLength(count + 1);
  });

  it('is no deep stack: there may be very many findings, and very many warnings, too', async () => {
    const findings = `apiVersion: v1\nkind: X\nimages: [${repeat(MANY, (i) => `"q.io/a/b:${i}",`)}]`;
    const warnings = `include: [{path: [${repeat(MANY, (i) => `f${i}, `)}]}]\nservices: {s: {image: "a/b:1"}}\n`;
    // The first warnings, and the number of further ones.
    expect(await scanned({ 'a.yaml': findings, 'compose.yaml': warnings })).toEqual({
      findings: MANY + 1,
      warnings: 5,
    });
  });
});
