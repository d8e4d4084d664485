import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeLayout } from '../fixtures/layout.ts';
import { newWorld } from '../peers/program.ts';
import { BASE, LOOKED, TOP } from './testing/looked.ts';

describe('images why', () => {
  it('tells which layer wrote, rewrote and deleted a path, by which instruction', async () => {
    await using world = await newWorld();
    const image = `oci:${await writeLayout(join(world.path, 'layout'), { app: LOOKED })}:app`;
    const [base, top] = [BASE, TOP].map(({ diffId }) => diffId.slice(7, 19));
    expect(await world.must(['why', image, '/etc/passwd'])).toBe(
      [
        `written in layer 1 ${base}: ADD file:0123 in /`,
        '  -rw-r--r-- 0 0 5 1970-01-01 00:00:00 etc/passwd',
        `rewritten in layer 2 ${top}: RUN adduser x`,
        '  -rw-r--r-- 0 0 8 1970-01-01 00:00:00 etc/passwd',
        '',
      ].join('\n'),
    );
    const { events } = JSON.parse(await world.must(['why', '--json', image, 'etc/gone']));
    expect(events).toMatchObject([
      { change: 'written', at: 1, layer: BASE.diffId.slice(7), file: { size: 1000 } },
      { change: 'deleted', at: 2, layer: TOP.diffId.slice(7), instruction: 'RUN adduser x' },
    ]);
    expect(await world.images(['why', image, 'never'])).toMatchObject({ status: 1, stdout: '' });
  });
});
