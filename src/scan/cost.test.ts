// The time of a scan grows linearly with its input and not quadratically: measured at two sizes. That takes ten seconds of a processor: with smaller inputs
// what grows with the square hides behind the parser.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { growth, LINEAR } from '../../test/testing/growth.ts';
import { mergeResource } from './kustomize/merge.ts';
import { scan } from './scan.ts';
import { scanText } from './testing/scan-files.ts';
import { parseYaml } from './yaml.ts';

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** Writes the files before anything is measured: what a file system does beside, other programs decide. */
function written(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'images-cost-'));
  directories.push(directory);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), text);
  }
  return directory;
}

const repeat = (count: number, one: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => one(i)).join('');
const pod = (i: number) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: p${i}}\nspec:\n  containers:\n  - name: c\n    image: q.io/a/b:${i}\n    env: [{name: A, value: a}]\n`;
const indented = (text: string, indent: string) => text.replace(/^(?=.)/gm, indent);
const list = (count: number) =>
  `apiVersion: v1\nkind: List\nitems:\n${repeat(count, (i) => indented(pod(i), '  ').replace('  ', '- '))}`;
const variables = (count: number, value: string) =>
  `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: c\n    env:\n${repeat(count, (i) => `    - {name: X${i}_IMAGE, value: "${value.replaceAll('#', String(i))}"}\n    - {name: X${i}_IMAGE_TAG, value: v${i}}\n`)}`;
const chart = (template: string, values = '{}') => ({
  'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 1.0.0\n',
  'values.yaml': values,
  'templates/t.yaml': template,
});

const TEXTS: readonly [string, number, (count: number) => string][] = [
  ['objects in a list', 300, list],
  ['objects in a list on one line', 300, (count) => JSON.stringify(parseYaml('f', list(count)).documents[0]?.value)],
  ['documents in a file', 300, (count) => repeat(count, (i) => `---\n${pod(i)}`)],
  ['documents that end with a mark', 300, (count) => repeat(count, (i) => `${pod(i)}...\n`)],
  [
    'manifests in a text',
    300,
    (count) =>
      `apiVersion: v1\nkind: ConfigMap\ndata:\n  a.yaml: |\n${indented(
        repeat(count, (i) => `---\n${pod(i)}`),
        '    ',
      )}`,
  ],
  [
    'texts with a manifest',
    300,
    (count) =>
      `apiVersion: v1\nkind: ConfigMap\ndata:\n${repeat(count, (i) => `  ${i}.yaml: |\n${indented(pod(i), '    ')}`)}`,
  ],
  ['variables with their tags', 1000, (count) => variables(count, 'q.io/a/b#')],
  ['variables of variables', 1000, (count) => variables(count, 'q.io/a/b:$(X#_IMAGE_TAG)')],
  ['lines that do not parse', 4000, (count) => `a: [\n${repeat(count, (i) => `  image: q.io/a/b:${i}\n`)}`],
  [
    'aliases',
    1000,
    (count) => `a: &a0 {image: "q.io/a/b:1"}\nspec:\n${repeat(count, (i) => `  x${i}: &x${i} {l: *a0}\n`)}`,
  ],
  [
    'services of a Compose file',
    2000,
    (count) =>
      `services:\n${repeat(count, (i) => `  a${i}: {image: "q.io/a/b:${i}", restart: always, labels: [x]}\n`)}`,
  ],
  [
    'blanks in a line that does not parse',
    2000,
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
    1000,
    (count) =>
      `apiVersion: helm.cattle.io/v1\nkind: HelmChart\nspec:\n  chart: x\n  set:\n${repeat(count, (i) => `    a${i}.image.repository: q.io/a/b${i}\n    a${i}.image.tag: v1\n`)}`,
  ],
];

describe('the cost of a text', () => {
  it.each(TEXTS)('grows with the number of %s', async (_, count, make) => {
    expect(await growth(count, make, (text) => scanText(text))).toBeLessThan(LINEAR);
  });
});

describe('the cost of a chart', () => {
  const TREES: readonly [string, number, (count: number) => Readonly<Record<string, string>>][] = [
    [
      'images that a template makes',
      300,
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
    expect(
      await growth(
        count,
        (size) => written(make(size)),
        (directory) => scan(directory),
      ),
    ).toBeLessThan(LINEAR);
  });
});

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
    expect(await growth(2000, make, merge)).toBeLessThan(LINEAR);
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
    expect(
      await growth(
        1000,
        (size) => written(make(size)),
        (directory) => scan(directory),
      ),
    ).toBeLessThan(LINEAR);
  });
});

describe('the cost of Compose projects', () => {
  const files = (count: number, name: string, one: (i: number) => string) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [name.replace('#', String(i)), one(i)]));
  const service = (i: number) => `services: {s: {image: "q.io/a/b:${i}"}}\n`;
  const TREES: readonly [string, number, (count: number) => Readonly<Record<string, string>>][] = [
    [
      'projects that include the next one',
      200,
      (count) => files(count, 'p#/compose.yaml', (i) => `include: [../p${i + 1}/compose.yaml]\n${service(i)}`),
    ],
    [
      'projects with variables of their own that include the next one',
      200,
      (count) => ({
        ...files(count, 'p#/compose.yaml', (i) => `include: [../p${i + 1}/compose.yaml]\n${service(i)}`),
        ...files(count, 'p#/.env', () => 'A=1\n'),
      }),
    ],
    [
      'files that extend the next one',
      200,
      (count) =>
        files(
          count,
          'f#.compose.yaml',
          (i) => `services: {s: {extends: {file: f${i + 1}.compose.yaml, service: s}, image: "a/b:${i}"}}\n`,
        ),
    ],
    [
      'projects that include the same one',
      200,
      (count) => ({
        ...files(count, 'p#/compose.yaml', (i) => `include: [../all.yaml]\n${service(i)}`),
        'all.yaml': `include: [${repeat(count, (i) => `c${i}.yaml, `)}]\n${service(1)}`,
        ...files(count, 'c#.yaml', service),
      }),
    ],
    [
      'files of one project',
      200,
      (count) => ({
        ...files(count, 'c#.yaml', (i) => `services: {s${i}: {image: "q.io/a/b:${i}"}}\n`),
        '.env': `COMPOSE_FILE=${repeat(count, (i) => `c${i}.yaml:`)}\n`,
      }),
    ],
  ];

  it.each(TREES)('grows with the number of %s', async (_, count, make) => {
    expect(
      await growth(
        count,
        (size) => written(make(size)),
        (directory) => scan(directory),
      ),
    ).toBeLessThan(LINEAR);
  });
});
