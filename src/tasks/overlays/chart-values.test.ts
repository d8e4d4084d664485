import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { type ChartValues, readChartValues } from './chart-values.ts';

const given = (values: Partial<ChartValues>) => readChartValues({ files: [], set: [], setString: [], ...values });

/** The values as plain data, numbers as they print. */
const plain = (values: unknown) => JSON.parse(JSON.stringify(values));

describe('values for charts', () => {
  it('are those of the files in their order, then --set, then --set-string', async () => {
    await using world = await temporaryWorld();
    const files = [
      await world.file('a.yaml', 'image: {name: a, tag: "1"}\nkept: from a\n'),
      await world.file('b.json', '{"image": {"name": "b"}}'),
      await world.file('empty.yaml', '# nothing\n'),
    ];
    const { values } = await given({ files, set: ['image.tag=two,other=x'], setString: ['other=3'] });
    expect(plain(values)).toEqual({ image: { name: 'b', tag: 'two' }, kept: 'from a', other: '3' });
  });

  it('are invalid if a file is not a map, or an expression is wrong: the error names it', async () => {
    await using world = await temporaryWorld();
    const list = await world.file('list.yaml', '- a\n');
    await expect(given({ files: [list] })).rejects.toMatchObject({
      code: 'YAML_INVALID',
      message: expect.stringContaining(`[${list}]`),
    });
    await expect(given({ set: ['no expression'] })).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('fail if a file is missing', async () => {
    await using world = await temporaryWorld();
    const missing = join(world.path, 'missing.yaml');
    await expect(given({ files: [missing] })).rejects.toMatchObject({ code: 'ENOENT', path: missing });
  });

  it('need a chart that uses them: else an error names all of them', async () => {
    await using world = await temporaryWorld();
    const files = [await world.file('a.yaml', 'a: 1\n')];
    const values = await given({ files, set: ['b=2'], setString: ['c=3'] });
    expect(() => values.check()).toThrow(
      expect.objectContaining({ code: 'USAGE', message: `there is no chart to take the values [${files[0]} b=2 c=3]` }),
    );
    values.onChart();
    values.check();
  });
});
