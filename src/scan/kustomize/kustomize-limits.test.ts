// Kustomizations that cost without end: a hundredth of the real limits is enough to see that all of it is counted.
import { describe, expect, it } from 'vitest';
import type { ScanResult } from '../contract.ts';
import { SCAN_RULES } from '../rules.ts';
import { scanFiles } from '../testing/scan-files.ts';
import { KUSTOMIZE_LIMITS } from './build-state.ts';
import { kustomizations } from './kustomize.ts';

const HUNDREDTH = {
  ...KUSTOMIZE_LIMITS,
  resources: KUSTOMIZE_LIMITS.resources / 100,
  work: KUSTOMIZE_LIMITS.work / 100,
};

function scanWithLittle(files: Readonly<Record<string, string>>): Promise<ScanResult> {
  const { documents } = SCAN_RULES;
  return scanFiles(files, { rules: { documents, trees: [kustomizations(documents, HUNDREDTH)] } });
}

const pod = (name: string, image: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {containers: [{name: c, image: "${image}"}]}\n`;

describe('kustomizations that name others again and again', () => {
  it.each(['resources', 'components'])('by %s end with a warning', async (field) => {
    const levels = Array.from({ length: 30 }, (_, i) => [
      [`k${i}/kustomization.yaml`, `${field}: [../a${i}, ../b${i}]\n`],
      [`a${i}/kustomization.yaml`, `${field}: [../k${i + 1}]\n`],
      [`b${i}/kustomization.yaml`, `${field}: [../k${i + 1}]\n`],
    ]).flat();
    const { findings, warnings } = await scanWithLittle({
      ...Object.fromEntries(levels),
      'k30/kustomization.yaml': 'resources: [pod.yaml]\n',
      'k30/pod.yaml': pod('a', 'x/y:1'),
      'other.yaml': pod('b', 'x/z:1'),
    });
    expect(findings.map(({ image }) => image)).toContain('x/z:1');
    expect(warnings.map(({ text }) => text).join('\n')).toContain('not all of its images are found');
  });
});

describe('many entries of images:', () => {
  it('for too many images are uncertain, with a warning', async () => {
    const many = Array.from({ length: 450 }, (_, i) => i);
    const { findings, warnings } = await scanWithLittle({
      'kustomization.yaml': `resources: [a.yaml]\nimages:\n${many.map((i) => `- {name: "b+/${i}", newTag: v2}\n`).join('')}`,
      'a.yaml': many.map((i) => pod(`p${i}`, `a/${i}:1`)).join('---\n'),
    });
    expect(findings.map(({ certainty }) => certainty)).toEqual(many.map(() => 'maybe'));
    expect(warnings).toMatchObject([{ file: 'kustomization.yaml', text: expect.stringContaining('too many changes') }]);
  });
});

describe('a kustomization whose patch copies a value into itself again and again', () => {
  it('ends with a warning', async () => {
    const copies = Array.from({ length: 40 }, (_, i) => `    - {op: copy, from: /spec, path: /spec/x${i}}\n`).join('');
    const { warnings } = await scanWithLittle({
      'kustomization.yaml': `resources: [d.yaml]\npatches:\n- target: {kind: Pod}\n  patch: |-\n${copies}`,
      'd.yaml': pod('a', 'a/a:1'),
    });
    expect(warnings.map(({ text }) => text).join('\n')).toContain('too many changes');
  });
});
