import { expect, it } from 'vitest';
import { processFigures } from './process-figures.ts';

it('the process tells of its memory, its files and its event loop', async () => {
  const figures = await processFigures();
  expect(figures).toMatchObject({ node: process.version, startedAt: expect.any(Date) });
  for (const name of [
    'cpuUser',
    'residentMemory',
    'heapUsed',
    'heapTotal',
    'external',
    'openFiles',
    'mostOpenFiles',
  ] as const)
    expect(figures[name], name).toBeGreaterThan(0);
  expect(figures.eventLoopLag).toBeGreaterThanOrEqual(0);
  expect((await processFigures()).startedAt).toEqual(figures.startedAt);
});
