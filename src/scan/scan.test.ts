import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DocumentRule, TreeRule } from './contract.ts';
import type { ScanEvent } from './events.ts';
import { imagesOf } from './images.ts';
import { scan } from './scan.ts';
import { scanFiles, scanText } from './testing/scan-files.ts';

const pod = (image: string) => `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: ${image}\n    name: x\n`;

describe('a scan', () => {
  it('reads .yaml, .yml and .json at any depth, and nothing else', async () => {
    const result = await scanFiles({
      'a.yaml': pod('quay.io/a/a:1'),
      'deep/er/b.yml': pod('b'),
      'c.json': JSON.stringify({ apiVersion: 'v1', kind: 'Pod', spec: { containers: [{ image: 'c:1' }] } }),
      'd.txt': pod('d'),
      'e.yaml.bak': pod('e'),
    });
    expect(imagesOf(result)).toEqual(['b', 'c:1', 'quay.io/a/a:1']);
    expect(result.findings.map(({ position }) => `${position.file}:${position.line}`)).toEqual([
      'a.yaml:5',
      'c.json:1',
      'deep/er/b.yml:5',
    ]);
  });

  it('tells of each file what was done with it, and why', async () => {
    const events: ScanEvent[] = [];
    const big = `kind: Role\nrules:\n${'- verbs: [get]\n'.repeat(1000)}`;
    await scanFiles(
      {
        'Chart/Chart.yaml': 'name: c\nversion: 1.0.0\n',
        README: '',
        'a.yaml': `${pod('a')}---\n${pod('b')}`,
        'b.yaml': `a: 1\n---\n${big}`,
      },
      { onEvent: (event) => events.push(event) },
    );
    expect(events).toEqual([
      { type: 'claimed', file: 'Chart/Chart.yaml', rule: 'helm' },
      { type: 'skipped', file: 'README' },
      { type: 'read', file: 'a.yaml', documents: 2, found: { containers: 2 } },
      { type: 'not-parsed', file: 'b.yaml', line: 2, size: big.length + '---\n'.length },
      { type: 'read', file: 'b.yaml', documents: 1, found: {} },
    ]);
  });

  it('counts images in test data as uncertain', async () => {
    const result = await scanFiles({
      'pkg/testdata/pod.yaml': pod('q.io/a:1'),
      'pod.yaml': pod('q.io/b:1'),
      'testdata/pod.yaml': pod('q.io/b:1'),
    });
    expect(imagesOf(result)).toEqual(['q.io/b:1']);
    expect(result.findings[0]).toMatchObject({ image: 'q.io/a:1', certainty: 'maybe', reason: 'it is test data' });
  });

  it('does not warn of broken JSON without an image', async () => {
    const { warnings } = await scanFiles({ 'a.json': '{"a": [\n', 'b.json': '{"image": [\n' });
    expect(warnings).toMatchObject([{ file: 'b.json' }]);
  });

  it('goes on after a broken part, which is named and read line by line', async () => {
    const result = await scanFiles({
      'good.yaml': pod('good:1'),
      'half.yaml': `${pod('half:1')}---\nspec: {{ .x }}\n  image: "quay.io/a/line:1"\n  image: {{ .y }}\n---\n${pod('half:2')}`,
      'empty.yaml': '',
      'bytes.yaml': new Uint8Array([0, 1, 2, 255, 254]),
    });
    expect(imagesOf(result)).toEqual(['good:1', 'half:1', 'half:2', 'quay.io/a/line:1']);
    expect(result.findings.find(({ rule }) => rule === 'lines')?.position).toEqual({
      file: 'half.yaml',
      line: 9,
      path: '',
    });
    expect(result.warnings.filter(({ file }) => file === 'half.yaml')).toMatchObject([
      { line: 9, text: expect.stringContaining('line 10: the image is a placeholder [{{ .y }}]') },
    ]);
    expect(result.warnings.map(({ file }) => file)).toEqual(expect.arrayContaining(['bytes.yaml', 'half.yaml']));
  });

  it('has one warning for a file of templates, and none for one without an image', async () => {
    const { warnings } = await scanFiles({
      'a.yaml': `a: {{ .a }}\n${Array.from({ length: 9 }, (_, i) => `image: {{ .x${i} }}\n---\nb: {{ .b }}\n`).join('')}`,
      'b.yaml': 'a: {{ .a }}\n---\nb: {{ .b }}\n',
    });
    expect(warnings).toMatchObject([{ file: 'a.yaml', text: expect.stringContaining('9 placeholders') }]);
  });

  it('takes Windows line ends and a BOM', async () => {
    const result = await scanFiles({
      'a.yaml': `\ufeff${pod('a:1').replaceAll('\n', '\r\n')}---\r\n${pod('b:1').replaceAll('\n', '\r\n')}`,
    });
    expect(result.findings.map(({ image, position }) => [image, position.line])).toEqual([
      ['a:1', 5],
      ['b:1', 12],
    ]);
  });

  it('leaves files that a tree rule has claimed to that rule', async () => {
    const tree: TreeRule = {
      name: 'mine',
      find: async ({ files }) => ({
        findings: [],
        warnings: [{ file: 'a.yaml', text: 'mine' }],
        claimed: new Set(files.slice(0, 1)),
      }),
      findNamed: async () => undefined,
    };
    const seen: string[] = [];
    const rule: DocumentRule = { name: 'all', matches: ({ file }) => seen.push(file) > 0, find: () => [] };
    const result = await scanFiles(
      { 'a.yaml': pod('a'), 'b.yaml': pod('b') },
      { rules: { trees: [tree], documents: [rule] } },
    );
    expect(seen).toEqual(['b.yaml']);
    expect(result).toEqual({ findings: [], warnings: [{ file: 'a.yaml', text: 'mine' }] });
  });

  it('lists each used image once, and an uncertain one only if it is not used anyway', async () => {
    const custom = (image: string) => `apiVersion: x/v1\nkind: X\nspec: {image: ${image}}\n`;
    const result = await scanFiles({
      'a.yaml': pod('nginx'),
      'b.yaml': custom('nginx'),
      'c.yaml': custom('redis'),
      'd.yaml': pod('nginx'),
    });
    expect([imagesOf(result), imagesOf(result, { maybe: true })]).toEqual([['nginx'], ['redis']]);
  });

  it('stops when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(scanFiles({ 'a.yaml': pod('a') }, { signal })).rejects.toThrow('enough');
  });

  it('refuses a directory that is not there', async () => {
    await expect(scan('/nowhere/at/all')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});

describe('whatever a document holds', () => {
  const key = fc.constantFrom(
    'image',
    'images',
    'kind',
    'apiVersion',
    'spec',
    'containers',
    'repository',
    'tag',
    'env',
    'name',
    'value',
    'args',
    'data',
    'annotations',
    'hub',
    'status',
    'x',
  );
  const leaf = fc.oneof(
    fc.string(),
    fc.constantFrom('quay.io/a/b:v1', '{{ x }}', '--image', 'a: [', '{"image": "x:1"}', 'v1', 'Secret', 'Template'),
    fc.integer(),
    fc.constant(null),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 6 },
      leaf,
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
    ),
  }));

  it('the scan does not fail, and finds only references', () => {
    fc.assert(
      fc.property(tree, (value) => {
        for (const { image, position } of scanText(JSON.stringify(value, null, 1)).findings) {
          expect(image).toMatch(/^[\w[][\w.:@/[\]-]*$/);
          expect(position.line).toBeGreaterThan(0);
        }
      }),
    );
  });

  it('a container in it is found, at its line', () => {
    const pad = fc.array(tree, { maxLength: 3 });
    fc.assert(
      fc.property(pad, pad, (before, after) => {
        const container = { name: 'planted', image: 'quay.io/planted/image:v1' };
        const object = { apiVersion: 'v1', kind: 'Pod', before, spec: { containers: [container] }, after };
        const text = JSON.stringify(object, null, 1);
        const line = text.split('\n').findIndex((content) => content.includes('planted/image')) + 1;
        const found = scanText(text).findings.filter(({ image }) => image === 'quay.io/planted/image:v1');
        expect(found.map(({ certainty, position }) => [certainty, position.line, position.path])).toContainEqual([
          'used',
          line,
          'spec.containers[0].image',
        ]);
      }),
    );
  });
});

describe('real overlays', () => {
  const corpus = join(import.meta.dirname, '../../../shared/corpus/ovl');
  const isThere = existsSync(corpus);
  const nordix = 'registry.nordix.org/cloud-native';

  it.skipIf(!isThere).each([
    [
      'cert-manager',
      ['acmesolver', 'cainjector', 'controller', 'webhook'].map(
        (name) => `quay.io/jetstack/cert-manager-${name}:v1.11.1`,
      ),
    ],
    [
      'k8s-cni-calico',
      [
        'calico/ctl:v3.26.4',
        ...['cni', 'kube-controllers', 'node'].map((name) => `docker.io/calico/${name}:v3.27.0`),
        ...['agent', 'vpp'].map((name) => `docker.io/calicovpp/${name}:v3.26.0`),
        'quay.io/tigera/operator:v1.30.9',
      ],
    ],
    ['k8s-sctp', [`${nordix}/mserver:latest`, `${nordix}/ncat:v0.1`]],
    ['kubernetes', ['docker.io/library/alpine:latest']],
    ['mconnect', [`${nordix}/mconnect:latest`]],
    [
      'metallb',
      [
        'metallb/controller:latest',
        'metallb/controller:v0.8.3',
        'metallb/speaker:latest',
        'metallb/speaker:v0.8.3',
        `${nordix}/mconnect:latest`,
      ],
    ],
    ['multus', ['alpine', 'alpine:latest', 'k8s.gcr.io/pause:3.9', `${nordix}/multus-installer:3.9.2`]],
    [
      'spire',
      ['k8s-workload-registrar:1.5.1', 'spire-agent:1.5.1', 'spire-server:1.5.1', 'wait-for-it'].map(
        (name) => `gcr.io/spiffe-io/${name}`,
      ),
    ],
  ])('%s (skipped where ../shared is absent)', async (overlay, expected) => {
    const result = await scan(join(corpus, overlay));
    expect(imagesOf(result)).toEqual(expected);
    expect(imagesOf(result, { maybe: true })).toEqual([]);
  });

  it.skipIf(!isThere)('whose operator chooses the images say so (skipped where ../shared is absent)', async () => {
    const { warnings } = await scan(join(corpus, 'k8s-cni-calico'));
    expect(warnings.map(({ file, text }) => [file.split('/').at(-1), text.includes('[Installation]')])).toEqual([
      ['install-linux.yaml', true],
      ['install-vpp.yaml', true],
    ]);
  });
});
