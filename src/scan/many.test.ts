// What is many is neither left out nor put on a stack, which holds some 120,000 values. So two texts are large, and take a second of a processor each.
import { describe, expect, it } from 'vitest';
import { scanFiles } from './testing/scan-files.ts';
import { visitsOf } from './walk.ts';

const repeat = (count: number, one: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => one(i)).join('');

describe('the cost of a text', () => {
  it('is paid for all of it: no value is left out because there are many', () => {
    const count = 1_100_000;
    const document = { file: 'f', value: new Array<string>(count).fill('a'), lineOf: () => 1, lineInText: () => 1 };
    expect(visitsOf(document)).toHaveLength(count + 1);
  });

  it('is no deep stack: there may be very many findings', async () => {
    const { findings } = await scanFiles({
      'a.yaml': `apiVersion: v1\nkind: X\nimages: [${repeat(150_000, (i) => `"q.io/a/b:${i}",`)}]`,
    });
    expect(findings).toHaveLength(150_000);
  });

  it('is no deep stack: there may be very many warnings, too', async () => {
    const included = {
      'compose.yaml': `include: [{path: [${repeat(150_000, (i) => `f${i}, `)}]}]\nservices: {s: {image: "a/b:1"}}\n`,
    };
    // The first warnings, and the number of further ones.
    expect((await scanFiles(included)).warnings).toHaveLength(5);
  });
});
