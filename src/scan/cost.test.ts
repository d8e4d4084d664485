// The time of a scan grows linearly with its input and not quadratically: measured at two sizes. With inputs that are much smaller, what grows with the square
// would hide behind the parser. Charts, kustomizations and Compose projects have files of their own, beside their rules.
import { describe, expect, it } from 'vitest';
import { growth, LINEAR } from '../../test/testing/growth.ts';
import { pod, repeat } from './testing/costs.ts';
import { scanText } from './testing/scan-files.ts';
import { parseYaml } from './yaml.ts';

const indented = (text: string, indent: string) => text.replace(/^(?=.)/gm, indent);
const list = (count: number) =>
  `apiVersion: v1\nkind: List\nitems:\n${repeat(count, (i) => indented(pod(i), '  ').replace('  ', '- '))}`;
const variables = (count: number, value: string) =>
  `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: c\n    env:\n${repeat(count, (i) => `    - {name: X${i}_IMAGE, value: "${value.replaceAll('#', String(i))}"}\n    - {name: X${i}_IMAGE_TAG, value: v${i}}\n`)}`;
const TEXTS: readonly [string, number, (count: number) => string][] = [
  ['objects in a list', 100, list],
  ['objects in a list on one line', 100, (count) => JSON.stringify(parseYaml('f', list(count)).documents[0]?.value)],
  ['documents in a file', 100, (count) => repeat(count, (i) => `---\n${pod(i)}`)],
  ['documents that end with a mark', 100, (count) => repeat(count, (i) => `${pod(i)}...\n`)],
  [
    'manifests in a text',
    100,
    (count) =>
      `apiVersion: v1\nkind: ConfigMap\ndata:\n  a.yaml: |\n${indented(
        repeat(count, (i) => `---\n${pod(i)}`),
        '    ',
      )}`,
  ],
  [
    'texts with a manifest',
    100,
    (count) =>
      `apiVersion: v1\nkind: ConfigMap\ndata:\n${repeat(count, (i) => `  ${i}.yaml: |\n${indented(pod(i), '    ')}`)}`,
  ],
  ['variables with their tags', 400, (count) => variables(count, 'q.io/a/b#')],
  ['variables of variables', 400, (count) => variables(count, 'q.io/a/b:$(X#_IMAGE_TAG)')],
  ['lines that do not parse', 1000, (count) => `a: [\n${repeat(count, (i) => `  image: q.io/a/b:${i}\n`)}`],
  [
    'aliases',
    400,
    (count) => `a: &a0 {image: "q.io/a/b:1"}\nspec:\n${repeat(count, (i) => `  x${i}: &x${i} {l: *a0}\n`)}`,
  ],
  [
    'services of a Compose file',
    500,
    (count) =>
      `services:\n${repeat(count, (i) => `  a${i}: {image: "q.io/a/b:${i}", restart: always, labels: [x]}\n`)}`,
  ],
  [
    'blanks in a line that does not parse',
    500,
    (count) => `a: [\n  image: x${' '.repeat(count)}y${' '.repeat(count)}#\n`,
  ],
  [
    'marks of placeholders',
    20_000,
    (count) => `kind: Pod\napiVersion: v1\nspec: {image: "${'<'.repeat(count)}${'_'.repeat(count)}"}\n`,
  ],
  ['paths in a line', 20_000, (count) => `a: ${'b.cc/'.repeat(count)}\n`],
  [
    'names in a text',
    20_000,
    (count) => `kind: ConfigMap\napiVersion: v1\ndata:\n  a: |\n    <${'image'.repeat(count)} x/y:1\n    b\n`,
  ],
  [
    'parameters of a chart',
    400,
    (count) =>
      `apiVersion: helm.cattle.io/v1\nkind: HelmChart\nspec:\n  chart: x\n  set:\n${repeat(count, (i) => `    a${i}.image.repository: q.io/a/b${i}\n    a${i}.image.tag: v1\n`)}`,
  ],
];

describe('the cost of a text', () => {
  it.each(TEXTS)('grows with the number of %s', async (_, count, make) => {
    expect(await growth(count, make, (text) => scanText(text))).toBeLessThan(LINEAR);
  });
});
