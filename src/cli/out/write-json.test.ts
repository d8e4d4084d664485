import { describe, expect, it } from 'vitest';
import type { Context } from '../process/context.ts';
import { writeJson, writeJsonList } from './write-json.ts';

function collecting(): { readonly context: Context; text(): string } {
  const parts: string[] = [];
  const context = { out: async (data: string) => void parts.push(data) } as unknown as Context;
  return { context, text: () => parts.join('') };
}

describe('--json', () => {
  it('has no control character that a terminal obeys', async () => {
    const { context, text } = collecting();
    const value = { name: 'a\u001b[31m\u009b5n\u007f' };
    await writeJson(context, value);
    expect(text()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(JSON.parse(text())).toEqual(value);
  });

  it.each([
    [[]],
    [[{ a: 1, b: [] }]],
    [['x', 'y\nz', 'x']],
    [Array.from({ length: 5000 }, (_, at) => ({ at, in: { it: at } }))],
  ])('writes a list piece by piece as it would whole', async (list) => {
    const { context, text } = collecting();
    await writeJsonList<unknown>(context, list, (item) => item);
    expect(text()).toBe(`${JSON.stringify(list, null, 2)}\n`);
  });
});
