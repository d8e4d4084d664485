// The cost of Compose projects grows linearly with them and not quadratically: measured at two sizes.
import { describe, expect, it } from 'vitest';
import { LINEAR } from '../../../test/testing/growth.ts';
import { type Files, growthOfScan, repeat } from '../testing/costs.ts';

describe('the cost of Compose projects', () => {
  const files = (count: number, name: string, one: (i: number) => string) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [name.replace('#', String(i)), one(i)]));
  const service = (i: number) => `services: {s: {image: "q.io/a/b:${i}"}}\n`;
  const TREES: readonly [string, number, (count: number) => Files][] = [
    [
      'projects that include the next one',
      50,
      (count) => files(count, 'p#/compose.yaml', (i) => `include: [../p${i + 1}/compose.yaml]\n${service(i)}`),
    ],
    [
      'projects with variables of their own that include the next one',
      50,
      (count) => ({
        ...files(count, 'p#/compose.yaml', (i) => `include: [../p${i + 1}/compose.yaml]\n${service(i)}`),
        ...files(count, 'p#/.env', () => 'A=1\n'),
      }),
    ],
    [
      'files that extend the next one',
      50,
      (count) =>
        files(
          count,
          'f#.compose.yaml',
          (i) => `services: {s: {extends: {file: f${i + 1}.compose.yaml, service: s}, image: "a/b:${i}"}}\n`,
        ),
    ],
    [
      'projects that include the same one',
      50,
      (count) => ({
        ...files(count, 'p#/compose.yaml', (i) => `include: [../all.yaml]\n${service(i)}`),
        'all.yaml': `include: [${repeat(count, (i) => `c${i}.yaml, `)}]\n${service(1)}`,
        ...files(count, 'c#.yaml', service),
      }),
    ],
    [
      'files of one project',
      50,
      (count) => ({
        ...files(count, 'c#.yaml', (i) => `services: {s${i}: {image: "q.io/a/b:${i}"}}\n`),
        '.env': `COMPOSE_FILE=${repeat(count, (i) => `c${i}.yaml:`)}\n`,
      }),
    ],
  ];

  it.each(TREES)('grows with the number of %s', async (_, count, make) => {
    expect(await growthOfScan(count, make)).toBeLessThan(LINEAR);
  });
});
