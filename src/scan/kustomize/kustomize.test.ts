import { beforeAll, describe, expect, it } from 'vitest';
import { imagesOf } from '../images.ts';
import { compilePattern, withPatterns } from '../patterns.ts';
import { scanFiles } from '../testing/scan-files.ts';
import { changedImage, imageChanges } from './images.ts';

type Files = Readonly<Record<string, string>>;

const deployment = (name: string, image: string): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  template:
    spec:
      containers:
        - name: main
          image: ${image}
`;

async function why(files: Files): Promise<readonly string[]> {
  const { findings } = await scanFiles(files);
  return findings.map(
    ({ image, certainty, position }) => `${image} ${certainty} ${position.file}:${position.line} ${position.path}`,
  );
}

const used = async (files: Files): Promise<readonly string[]> => imagesOf(await scanFiles(files));

const IMAGE_PATH = 'spec.template.spec.containers[0].image';

describe('kustomizations that only name each other', () => {
  it('are built from the first of them on, with a warning, beside those that have a root', async () => {
    const { findings, warnings } = await scanFiles({
      'a/kustomization.yaml': 'resources: [../b, d.yaml]\n',
      'a/d.yaml': deployment('x', 'q.io/a:1'),
      'b/kustomization.yaml': 'resources: [../a, d.yaml]\n',
      'b/d.yaml': deployment('y', 'q.io/b:1'),
      'c/kustomization.yaml': 'resources: [d.yaml]\n',
      'c/d.yaml': deployment('z', 'q.io/c:1'),
    });
    expect(findings.map(({ image, certainty }) => [image, certainty]).toSorted()).toEqual([
      ['q.io/a:1', 'used'],
      ['q.io/b:1', 'used'],
      ['q.io/c:1', 'used'],
    ]);
    expect(warnings).toHaveLength(1);
  });
});

describe('entries of images: in a kustomization', () => {
  beforeAll(() => withPatterns(async () => compilePattern('')));
  const change = (fields: Readonly<Record<string, string>>) => {
    const document = { file: '', value: null, lineOf: () => 1, lineInText: () => 1 };
    const [first] = imageChanges([fields], { document, path: [] });
    return (image: string) => first && changedImage(image, first);
  };

  it.each([
    ['nginx', { newTag: '2' }, 'nginx:1', 'nginx:2'],
    ['nginx', { newTag: '2' }, 'nginx', 'nginx:2'],
    ['nginx', { newTag: '2' }, 'docker.io/nginx:1', undefined],
    ['nginx', { newTag: '2' }, 'docker.io/library/nginx:1', undefined],
    ['nginx', { newTag: '2' }, 'nginx-x:1', undefined],
    ['nginx', { newName: 'quay.io/a/nginx' }, 'nginx:1', 'quay.io/a/nginx:1'],
    ['h:5000/a', { newTag: '2' }, 'h:5000/a:1', 'h:5000/a:2'],
    ['nginx', { digest: 'sha256:aa' }, 'nginx:1', 'nginx@sha256:aa'],
    ['nginx', { newTag: '2', digest: 'sha256:aa' }, 'nginx', 'nginx:2@sha256:aa'],
    ['nginx', { newTag: '2' }, 'nginx:1@sha256:aa', 'nginx:2'],
    ['nginx', { newName: 'b' }, 'nginx@sha256:aa', 'b@sha256:aa'],
    ['nginx', { tagSuffix: '-slim' }, 'nginx:1@sha256:aa', 'nginx:1-slim'],
    ['[', { newTag: '2' }, '[:1', undefined],
  ])('%s %j makes of %s %s', (name, fields, image, expected) => {
    expect(change({ name, ...fields })(image)).toBe(expected);
  });

  it('are the position of the images that they set; other images keep theirs', async () => {
    const files = {
      'kustomization.yaml': 'resources: [a.yaml, b.yaml]\nimages:\n  - name: nginx\n    newTag: "2"\n',
      'a.yaml': deployment('a', 'nginx:1'),
      'b.yaml': deployment('b', 'busybox:1'),
    };
    expect(await why(files)).toEqual([
      'nginx:2 used kustomization.yaml:4 images[0].newTag',
      `busybox:1 used b.yaml:10 ${IMAGE_PATH}`,
    ]);
  });

  it('leave custom fields alone, but for those that configurations: name', async () => {
    const files = {
      'kustomization.yaml': 'resources: [a.yaml]\nimages: [{name: quay.io/a/b, newTag: "2"}]\n',
      'a.yaml': 'apiVersion: x.io/v1\nkind: Thing\nmetadata: {name: t}\nspec: {image: "quay.io/a/b:1"}\n',
    };
    expect(await used(files)).toEqual(['quay.io/a/b:1']);
    const configured = {
      ...files,
      'kustomization.yaml': `${files['kustomization.yaml']}configurations: [c.yaml]\n`,
      'c.yaml': 'images:\n- path: spec/image\n  kind: Thing\n',
    };
    expect(await used(configured)).toEqual(['quay.io/a/b:2']);
  });
});

describe('entries of images: for resources that are not here', () => {
  const with_ = (images: string): Files => ({
    'kustomization.yaml': `resources: [https://example.org/x.yaml]\nimages: [${images}]\n`,
  });

  it('are uncertain', async () => {
    expect(await why(with_('{name: a/b, newTag: "2"}'))).toEqual(['a/b:2 maybe kustomization.yaml:2 images[0].newTag']);
    const digest = `sha256:${'a'.repeat(64)}`;
    expect(await why(with_(`{name: a/b, newName: q.io/b, digest: "${digest}"}`))).toEqual([
      `q.io/b@${digest} maybe kustomization.yaml:2 images[0].digest`,
    ]);
  });

  it('name no image without a tag, and none if all resources are here', async () => {
    expect(await why(with_('{name: a/b, newName: q.io/b}'))).toEqual([]);
    const here = { 'kustomization.yaml': 'resources: [x.yaml]\nimages: [{name: a/b, newTag: "2"}]\n' };
    expect(await used({ ...here, 'x.yaml': deployment('x', 'c/d:1') })).toEqual(['c/d:1']);
  });
});

describe('overlays', () => {
  const base = { 'base/kustomization.yaml': 'resources:\n- d.yaml\n', 'base/d.yaml': deployment('app', 'a/app:base') };

  it('stand for their base, each with its own result', async () => {
    const files = {
      ...base,
      'overlays/dev/kustomization.yaml': 'resources: [../../base]\nimages: [{name: a/app, newTag: dev}]\n',
      'overlays/prod/kustomization.yml':
        'bases: [../../base/]\nimages: [{name: a/app, newName: q.io/app, newTag: "1"}]\n',
    };
    expect(await used(files)).toEqual(['a/app:dev', 'q.io/app:1']);
  });

  it('use components, in which patches and images change what is there', async () => {
    const files = {
      ...base,
      'c/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nimages: [{name: a/app, newTag: c}]\n',
      'o/kustomization.yaml': 'resources: [../base]\ncomponents: [../c]\n',
    };
    expect(await used(files)).toEqual(['a/app:c']);
  });

  it('that name each other in a circle cause a warning', async () => {
    const { warnings } = await scanFiles({
      'kustomization.yaml': 'resources: [a]\n',
      'a/kustomization.yaml': 'resources: [../b]\n',
      'b/kustomization.yaml': 'resources: [../a]\n',
    });
    expect(warnings).toMatchObject([{ file: 'b/kustomization.yaml', line: 1 }]);
  });

  it('leave files that nobody names to other rules, and name what is elsewhere', async () => {
    const { findings, warnings } = await scanFiles({
      ...base,
      'base/other.yaml': deployment('other', 'c/d:1'),
      'o/kustomization.yaml': 'resources:\n- ../base\n- https://github.com/x/y//deploy?ref=v1\n- ../../gone\n',
    });
    expect(findings.map(({ image, rule }) => `${image} ${rule}`)).toEqual([
      'a/app:base kustomize, containers',
      'c/d:1 containers',
    ]);
    expect(warnings.map(({ line, text }) => `${line} ${text}`)).toEqual([
      '3 [https://github.com/x/y//deploy?ref=v1] is elsewhere and not fetched: its images are not found',
      '4 [../../gone] is not here: its images are not found',
    ]);
  });
});

describe('patches', () => {
  const patched = (kustomization: string, patch = ''): Files => ({
    'kustomization.yaml': `resources: [d.yaml]\n${kustomization}`,
    'd.yaml': deployment('app', 'a/app:1'),
    'patch.yaml': patch,
  });

  it('merge containers by their names and add others', async () => {
    const patch = deployment('app', 'a/app:2').replace(
      '      containers:',
      '      containers:\n        - {name: extra, image: "e/x:1"}',
    );
    expect(await why(patched('patchesStrategicMerge: [patch.yaml]\n', patch))).toEqual([
      'e/x:1 used patch.yaml:9 spec.template.spec.containers[0].image',
      'a/app:2 used patch.yaml:11 spec.template.spec.containers[1].image',
    ]);
  });

  it('that are texts in the kustomization have their position there', async () => {
    const inline = `patches:\n- target: {kind: Deployment, name: "a.*"}\n  patch: |-\n    - op: replace\n      path: /spec/template/spec/containers/0/image\n      value: b/c:3\n`;
    expect(await why(patched(inline))).toEqual(['b/c:3 used kustomization.yaml:7 [0].value']);
  });

  it('delete containers and whole resources', async () => {
    const removed = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\n$patch: delete\n';
    expect(await used(patched('patches: [{path: patch.yaml}]\n', removed))).toEqual([]);
  });

  it('for another name or kind change nothing', async () => {
    expect(await used(patched('patchesStrategicMerge: [patch.yaml]\n', deployment('other', 'x/y:1')))).toEqual([
      'a/app:1',
    ]);
    const json = 'patchesJson6902:\n- target: {kind: StatefulSet, name: app}\n  path: patch.yaml\n';
    expect(await used(patched(json, '- {op: remove, path: /spec}'))).toEqual(['a/app:1']);
  });

  it.each([
    ['the original namespace', 'old', true],
    ['the current one', 'new', true],
    ['a pattern of it', 'n.*', true],
    ['one in between', 'middle', false],
    ['another one', 'default', false],
  ])('select by %s', async (_, namespace, isSelected) => {
    const patch = `- {op: replace, path: /spec/template/spec/containers/0/image, value: "b/c:3"}\n`;
    const files = {
      'kustomization.yaml': `resources: [new]\npatches:\n- target: {kind: Deployment, namespace: ${namespace}}\n  path: p.yaml\n`,
      'p.yaml': patch,
      'new/kustomization.yaml': 'namespace: new\nresources: [../middle]\n',
      'middle/kustomization.yaml': 'namespace: middle\nresources: [d.yaml]\n',
      'middle/d.yaml': deployment('app', 'a/app:1').replace('  name: app', '  name: app\n  namespace: old'),
    };
    expect(await used(files)).toEqual([isSelected ? 'b/c:3' : 'a/app:1']);
  });

  it('select a resource without a namespace by `default`, and by the one that was set before', async () => {
    const patch = `- {op: replace, path: /spec/template/spec/containers/0/image, value: "b/c:3"}\n`;
    const select = (namespace: string) =>
      `patches:\n- target: {kind: Deployment, namespace: ${namespace}}\n  path: patch.yaml\n`;
    expect(await used(patched(select('default'), patch))).toEqual(['b/c:3']);
    // In one kustomization, the namespace is set after the patches.
    expect(await used(patched(`namespace: new\n${select('new')}`, patch))).toEqual(['a/app:1']);
    const transformer =
      '|-\n    apiVersion: builtin\n    kind: NamespaceTransformer\n    metadata: {name: x, namespace: new}\n';
    const inner = { 'base/kustomization.yaml': `resources: [d.yaml]\ntransformers:\n  - ${transformer}` };
    const outer = { 'kustomization.yaml': `resources: [base]\n${select('new')}`, 'patch.yaml': patch };
    expect(await used({ ...inner, ...outer, 'base/d.yaml': deployment('app', 'a/app:1') })).toEqual(['b/c:3']);
  });

  it.each([
    ['{op: remove, path: /spec/paused}', 'nothing to remove at [/spec/paused]'],
    ['{op: test, path: /kind, value: Service}', 'not so at [/kind]'],
    ['{op: invent, path: /kind}', 'no such operation [invent]'],
  ])('that cannot be applied cause a warning, as kustomize refuses them: %s', async (operation, text) => {
    const json = 'patchesJson6902:\n- target: {kind: Deployment}\n  path: patch.yaml\n';
    const { warnings } = await scanFiles(patched(json, `- ${operation}`));
    expect(warnings.map((warning) => warning.text)).toEqual([`a patch cannot be applied whole: ${text}`]);
  });

  it('nest nothing deeper than a stack reaches', async () => {
    const levels = 250;
    const value = `${'{"b":'.repeat(levels)}{}${'}'.repeat(levels)}`;
    const operation = (_: unknown, at: number) =>
      `{"op":"add","path":"/spec${'/b'.repeat(1 + at * (levels + 1))}","value":${value}}`;
    const patch = `[${Array.from({ length: 60 }, operation).join()}]`;
    const json = 'patchesJson6902:\n- target: {kind: Deployment}\n  path: patch.yaml\n';
    expect(await used(patched(json, patch))).toEqual(['a/app:1']);
  });

  it('of resources that are not here give the images that they set', async () => {
    const files = {
      'base/kustomization.yaml': 'resources: [https://github.com/x/y//deploy?ref=v1]\n',
      'o/kustomization.yaml': 'resources: [../base]\npatches: [{path: p.yaml}]\nimages: [{name: a/app, newTag: "2"}]\n',
      'o/p.yaml': deployment('app', 'a/app:1'),
    };
    expect(await used(files)).toEqual(['a/app:2']);
  });

  it.each([
    ['{op: replace, path: /spec/template/spec/containers/0/image, value: "q.io/a:1"}', 'q.io/a:1'],
    ['{op: add, path: /spec/template/spec/initContainers/-, value: {name: i, image: "q.io/i:1"}}', 'q.io/i:1'],
    ['{op: add, path: /spec/template/spec/containers/0/args/-, value: "--proxy-image=q.io/p:1"}', 'q.io/p:1'],
  ])('with operations on resources that are not here give the images that they set: %s', async (operation, image) => {
    const files = {
      'kustomization.yaml':
        'resources: [https://example.org/x.yaml]\npatches:\n- path: p.yaml\n  target: {kind: Deployment}\n',
      'p.yaml': `- ${operation}\n`,
    };
    expect(await used(files)).toEqual([image]);
    const here = { ...files, 'kustomization.yaml': files['kustomization.yaml'].replace('https://example.org/', '') };
    const other = deployment('x', 'a/b:1').replace('Deployment', 'StatefulSet');
    expect(await used({ ...here, 'x.yaml': other })).toEqual(['a/b:1']);
  });

  it('of a component that nobody uses are uncertain', async () => {
    const files = {
      'kustomization.yaml': 'kind: Component\npatches: [{path: p.yaml, target: {kind: Deployment}}]\n',
      'p.yaml': deployment('x', 'a/b:1'),
    };
    expect(await why(files)).toEqual([`a/b:1 maybe p.yaml:10 ${IMAGE_PATH}`]);
  });

  it('that no kustomization names are uncertain; other files are used', async () => {
    const whole = deployment('x', 'a/whole:1').replace('spec:\n', 'spec:\n  selector: {matchLabels: {a: b}}\n');
    const files = { ...patched('', deployment('app', 'a/proxy:1')), 'other.yaml': whole };
    expect(await used(files)).toEqual(['a/app:1', 'a/whole:1']);
    const { findings } = await scanFiles(files);
    expect(findings).toContainEqual(
      expect.objectContaining({ image: 'a/proxy:1', reason: 'a patch that no kustomization names' }),
    );
  });

  it('of an overlay may use the prefixed name', async () => {
    const files = {
      'base/kustomization.yaml': 'resources: [d.yaml]\nnamePrefix: x-\n',
      'base/d.yaml': deployment('app', 'a/app:1'),
      'o/kustomization.yaml': 'resources: [../base]\npatches: [{path: p.yaml}]\n',
      'o/p.yaml': deployment('x-app', 'a/app:2'),
    };
    expect(await used(files)).toEqual(['a/app:2']);
  });
});

describe('other parts of a kustomization', () => {
  it('generated ConfigMaps hold manifests whose images stand in the file', async () => {
    const files = {
      'kustomization.yaml': 'configMapGenerator:\n- name: jobs\n  files: [job.yaml]\n',
      'job.yaml': deployment('job', 'quay.io/j/k:1'),
    };
    expect((await why(files)).map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'quay.io/j/k:1 used job.yaml:10',
    ]);
  });

  it('replacements of images are uncertain', async () => {
    const files = {
      'kustomization.yaml':
        'resources: [d.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: c, fieldPath: data.x}\n  targets:\n  - select: {kind: Deployment}\n    fieldPaths: [spec.template.spec.containers.0.image]\n',
      'd.yaml': deployment('app', 'a/app:1'),
    };
    expect(await why(files)).toEqual([`a/app:1 maybe d.yaml:10 ${IMAGE_PATH}`]);
  });

  it('values of charts that are not rendered name images: those written here are used', async () => {
    const files = {
      'kustomization.yaml':
        'helmCharts:\n- name: app\n  valuesFile: v.yaml\n  valuesInline:\n    image: {repository: q.io/a/app, tag: "1"}\n',
      'v.yaml': 'sidecar:\n  image: {repository: q.io/a/side, tag: "2"}\n',
    };
    expect((await why(files)).map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'q.io/a/app:1 used kustomization.yaml:5',
      'q.io/a/side:2 maybe v.yaml:2',
    ]);
  });

  it('charts beside a kustomization are rendered, with its values', async () => {
    const { findings, warnings } = await scanFiles({
      'kustomization.yaml': 'helmGlobals: {chartHome: home}\nhelmCharts:\n- {name: app, valuesInline: {tag: 2}}\n',
      'home/app/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
      'home/app/templates/d.yaml': deployment('app', '"a/app:{{ .Values.tag }}"'),
    });
    expect(findings.filter(({ certainty }) => certainty === 'used')).toMatchObject([{ image: 'a/app:2' }]);
    expect(warnings).toEqual([]);
  });

  it('a resource that does not parse is read line by line', async () => {
    const files = {
      'kustomization.yaml': 'resources: [d.yaml]\n',
      'd.yaml': deployment('{{ .name }}', 'a/app:1'),
    };
    const { findings, warnings } = await scanFiles(files);
    expect(findings).toMatchObject([{ image: 'a/app:1', rule: 'lines', certainty: 'used', position: { line: 10 } }]);
    expect(warnings).toHaveLength(1);
  });

  it('image transformers are run, unknown transformers and charts cause a warning', async () => {
    const { findings, warnings } = await scanFiles({
      'kustomization.yaml':
        'resources: [d.yaml]\ntransformers: [t.yaml]\nhelmCharts:\n- name: redis\n  repo: https://charts.example\n',
      'd.yaml': deployment('app', 'a/app:1'),
      't.yaml':
        'apiVersion: builtin\nkind: ImageTagTransformer\nmetadata: {name: i}\nimageTag: {name: a/app, newTag: t}\n---\napiVersion: x\nkind: Magic\nmetadata: {name: m}\n',
    });
    expect(findings.map(({ image }) => image)).toEqual(['a/app:t']);
    expect(warnings.map(({ text }) => text).sort()).toEqual([
      'the chart [redis] is not rendered with these values: its images are not found',
      'the transformer or generator [Magic] is not run',
    ]);
  });
});

describe('patterns of a kustomization', () => {
  it('are those of Go, and take as little time', async () => {
    const resource = (name: string) =>
      `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}}\nspec: {template: {spec: {containers: [{name: c, image: "x/y:1"}]}}}\n`;
    const patch = (name: string, tag: string) =>
      `- target: {kind: Deployment, name: "${name}"}\n  patch: |-\n    - {op: replace, path: /spec/template/spec/containers/0/image, value: "x/y:${tag}"}\n`;
    const files = {
      'kustomization.yaml': `resources: [a.yaml]\npatches:\n${patch('(a+)+b', 'wrong')}${patch('(?i)A+', 'right')}`,
      'a.yaml': resource('a'.repeat(60)),
    };
    expect(await used(files)).toEqual(['x/y:right']);
  });
});

describe('many entries of images:', () => {
  const pods = (images: readonly string[]): string =>
    images
      .map(
        (image, i) =>
          `apiVersion: v1\nkind: Pod\nmetadata: {name: p${i}}\nspec: {containers: [{name: c, image: "${image}"}]}\n`,
      )
      .join('---\n');
  const with_ = (entries: readonly string[], images: readonly string[], more = ''): Files => ({
    'kustomization.yaml': `resources: [a.yaml]\n${more}images:\n${entries.map((entry) => `- {${entry}}\n`).join('')}`,
    'a.yaml': pods(images),
  });

  it.each([
    ['see what those before made', ['name: a/a, newName: a/b', 'name: a/b, newTag: "2"'], 'a/a:1', 'a/b:2'],
    ['see nothing of those after', ['name: a/b, newTag: "2"', 'name: a/a, newName: a/b'], 'a/a:1', 'a/b:1'],
    ['of one name are all applied', ['name: a/a, newTag: "2"', 'name: a/a, tagSuffix: -x'], 'a/a:1', 'a/a:2-x'],
    ['may be patterns between names', ['name: a/., newName: a/c', 'name: a/c, newTag: "3"'], 'a/b:1', 'a/c:3'],
    ['may be patterns that repeat', ['name: "a/b+", newName: a/c', 'name: a/c, newTag: "3"'], 'a/bb:1', 'a/c:3'],
    ['mean any character by a point', ['name: q.io/a, newTag: "3"'], 'q-io/a:1', 'q-io/a:3'],
    ['may be for a name with its tag', ['name: "a/a:1", newTag: "3"'], 'a/a:1', 'a/a:3'],
    [
      'are for names without a tag, with a digest, with both',
      ['name: h:5/a, newTag: "3"'],
      'h:5/a:1@sha256:aa',
      'h:5/a:3',
    ],
  ])('%s', async (_, entries, image, expected) => {
    expect(await used(with_(entries, [image]))).toEqual([expected]);
  });

  it('change a field once for each setting that names it, as kustomize does', async () => {
    const files = with_(['name: a/a, tagSuffix: -x'], ['a/a:1'], 'configurations: [c.yaml]\n');
    const configuration = 'images: [{path: "spec/containers[]/image", kind: Pod}]\n';
    expect(await used({ ...files, 'c.yaml': configuration })).toEqual(['a/a:1-x-x']);
  });
});
