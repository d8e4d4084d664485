import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeLayout } from '../fixtures/layout.ts';
import { newWorld } from '../peers/program.ts';
import { LOOKED } from './testing/looked.ts';

describe('images usage', () => {
  it('tells what each layer and directory holds, and what a later layer has wasted', async () => {
    await using world = await newWorld();
    const image = `oci:${await writeLayout(join(world.path, 'layout'), { app: LOOKED })}:app`;
    const usage = JSON.parse(await world.must(['usage', '--json', image]));
    // bin/tool 4, etc/passwd 8, new/odd… 1; etc/gone 1000 and the first etc/passwd 5 are wasted.
    expect(usage).toMatchObject({ bytes: 1018, wasted: 1005, visible: 13, files: 4 });
    expect(usage.layers).toMatchObject([
      { at: 1, entries: 6, bytes: 1009, wasted: 1005, instruction: 'ADD file:0123 in /' },
      { at: 2, entries: 4, bytes: 9, wasted: 0, instruction: 'RUN adduser x' },
    ]);
    expect(usage.directories).toEqual([
      { path: 'etc', bytes: 8, files: 2 },
      { path: 'bin', bytes: 4, files: 1 },
      { path: 'new', bytes: 1, files: 1 },
    ]);
    expect(usage.wastedFiles).toEqual([
      { path: 'etc/gone', bytes: 1000, layer: 1, by: 2 },
      { path: 'etc/passwd', bytes: 5, layer: 1, by: 2 },
    ]);
    expect(await world.must(['usage', '--top=1', image])).toMatch(
      /1\.0 kB wasted \(98\.7 %\)(?:.|\n)*\/etc\n(?:.|\n)*1, 2, \/etc\/gone\n$/,
    );
  });
});
