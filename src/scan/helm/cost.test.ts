// The cost of charts grows linearly with them and not quadratically: measured at two sizes.
import { describe, expect, it } from 'vitest';
import { LINEAR } from '../../../test/testing/growth.ts';
import { type Files, growthOfScan, pod, repeat } from '../testing/costs.ts';

const chart = (template: string, values = '{}') => ({
  'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 1.0.0\n',
  'values.yaml': values,
  'templates/t.yaml': template,
});

describe('the cost of a chart', () => {
  const TREES: readonly [string, number, (count: number) => Files][] = [
    [
      'images that a template makes',
      150,
      (count) => chart(`{{- range until ${count} }}\n---\n${pod(0).replace(':0', ':{{ . }}')}{{- end }}`),
    ],
    [
      'images that values name',
      300,
      (count) =>
        chart(
          'a: 1\n',
          repeat(count, (i) => `x${i}: {image: {repository: q.io/a/b${i}, tag: v1}}\n`),
        ),
    ],
    [
      'images that Chart.yaml lists',
      300,
      (count) => ({
        ...chart('a: 1\n'),
        'Chart.yaml': `apiVersion: v2\nname: c\nversion: 1.0.0\nannotations:\n  helm.sh/images: |\n${repeat(count, (i) => `    - {name: x, image: "q.io/a/b${i}:1"}\n`)}`,
      }),
    ],
  ];

  it.each(TREES)('grows with the number of %s', async (_, count, make) => {
    expect(await growthOfScan(count, make)).toBeLessThan(LINEAR);
  });
});
