// The cost of kustomizations grows linearly with them and not quadratically: measured at two sizes.
import { describe, expect, it } from 'vitest';
import { growth, LINEAR } from '../../../test/testing/growth.ts';
import { growthOfScan, pod, repeat } from '../testing/costs.ts';
import { mergeResource } from './merge.ts';

describe('the cost of a kustomization', () => {
  it('grows with the number of containers that a patch merges', async () => {
    const document = { file: '', value: null, lineOf: () => 1, lineInText: () => 1 };
    const containers = (count: number, name: string) =>
      Array.from({ length: count }, (_, i) => ({ name: `${name}${i}` }));
    const make = (count: number) => ({ target: containers(count, 'a'), patch: containers(count, 'b') });
    const merge = async ({ target, patch }: ReturnType<typeof make>) => {
      const resource = { apiVersion: 'v1', containers: [...target] };
      mergeResource(resource, { containers: patch }, { document, path: [] });
      expect(resource.containers).toHaveLength(2 * target.length);
    };
    expect(await growth(1000, make, merge)).toBeLessThan(LINEAR);
  });

  const pods = (count: number) => repeat(count, (i) => `---\n${pod(i).replace('q.io/a/b', `q.io/a/b${i}`)}`);

  it.each<[string, (i: number) => string]>([
    ['entries of images:', (i) => `- {name: q.io/a/b${i}, newTag: v2}\n`],
    ['entries of images: that are for one name', (i) => `- {name: q.io/a/b1, newTag: v${i}}\n`],
  ])('grows with the number of %s, and of resources', async (_, entry) => {
    const make = (count: number) => ({
      'kustomization.yaml': `resources: [a.yaml]\nimages:\n${repeat(4 * count, entry)}`,
      'a.yaml': pods(count),
    });
    expect(await growthOfScan(150, make)).toBeLessThan(LINEAR);
  });
});
