// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Flux's variables
import { describe, expect, it } from 'vitest';
import { imagesOf } from '../../images.ts';
import { scanFile } from '../../scan-file.ts';
import { packedChart } from '../../testing/packed-chart.ts';
import { scanFiles } from '../../testing/scan-files.ts';

type Files = Readonly<Record<string, string>>;

const chart = (directory: string): Files => ({
  [`${directory}/Chart.yaml`]: 'apiVersion: v2\nname: c\nversion: 1.0.0\n',
  [`${directory}/values.yaml`]: 'image: {repository: q.io/a, tag: "1"}\nmore: false\n',
  [`${directory}/templates/pod.yaml`]:
    'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - {name: a, image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"}\n{{- if .Values.more }}\n  - {name: b, image: "q.io/b:{{ .Values.image.tag }}"}\n{{- end }}\n',
});
const helmRelease = (spec: string, name = 'r') =>
  `apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: ${name}, namespace: n}\nspec:\n${spec}`;
const CHART = '  chart: {spec: {chart: ./charts/c, sourceRef: {kind: GitRepository, name: g}}}\n';
const application = (source: string) =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec:\n  source:\n    repoURL: https://git.example/x\n    path: charts/c\n${source}`;

async function found(files: Files): Promise<{
  readonly used: readonly string[];
  readonly maybe: readonly string[];
  readonly warnings: readonly string[];
}> {
  const result = await scanFiles(files);
  return {
    used: imagesOf(result),
    maybe: imagesOf(result, { maybe: true }),
    warnings: result.warnings.map(({ text }) => text),
  };
}

describe('a chart in the tree', () => {
  it('is deployed by a HelmRelease with its values; images of the default values alone are uncertain', async () => {
    const files = {
      ...chart('charts/c'),
      'r.yaml': helmRelease(`${CHART}  values: {image: {tag: "8"}, more: true}\n`),
    };
    expect(await found(files)).toEqual({
      used: ['q.io/a:8', 'q.io/b:8'],
      maybe: ['q.io/a:1', 'q.io/b:1'],
      warnings: [],
    });
  });

  it('is deployed with values from objects, files and single ones, in their order', async () => {
    const release = helmRelease(
      `${CHART.replace('sourceRef', 'valuesFiles: [charts/c/values-prod.yaml], sourceRef')}  valuesFrom: [{kind: ConfigMap, name: v}, {kind: Secret, name: s, valuesKey: tag, targetPath: image.tag}]\n  values: {more: true}\n`,
    );
    const files = {
      ...chart('charts/c'),
      'charts/c/values-prod.yaml': 'image: {repository: q.io/prod, tag: "2"}\n',
      'r.yaml': release,
      'v.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: v, namespace: n}\ndata: {values.yaml: "image: {tag: 3}"}\n',
      's.yaml': `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {tag: ${Buffer.from('4\n').toString('base64')}}\n`,
    };
    expect((await found(files)).used).toEqual(['q.io/b:4', 'q.io/prod:4']);
  });

  it('has uncertain images if values of the release are not here', async () => {
    const release = (source: string) =>
      helmRelease(`${CHART}  valuesFrom: [${source}]\n  values: {image: {tag: "8"}}\n`);
    const files = (source: string) => ({ ...chart('charts/c'), 'r.yaml': release(source) });
    expect(await found(files('{kind: ConfigMap, name: absent}'))).toMatchObject({
      used: ['q.io/a:1'],
      maybe: ['q.io/a:8', 'q.io/b:1'],
    });
    expect(await found(files('{kind: ConfigMap, name: absent, optional: true}'))).toMatchObject({ used: ['q.io/a:8'] });
  });

  it('is deployed by a HelmRelease that patches set, and with variables of Flux', async () => {
    const files = {
      ...chart('charts/c'),
      'base/r.yaml': helmRelease(`${CHART}  values: {image: {tag: "8"}, more: true}\n`),
      'prod/patch.yaml': helmRelease('  values: {image: {tag: "${TAG}"}}\n'),
      'flux.yaml':
        'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: k}\nspec: {path: ./prod, postBuild: {substitute: {TAG: v9}}}\n',
    };
    expect(await found(files)).toMatchObject({ used: ['q.io/a:v9', 'q.io/b:v9'] });
  });

  it('is deployed by a HelmRelease by way of a HelmChart; one that is elsewhere is warned of', async () => {
    const helmChart = (source: string, name = './charts/c') =>
      `apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmChart\nmetadata: {name: hc, namespace: n}\nspec: {chart: ${name}, sourceRef: {kind: ${source}, name: g}, valuesFiles: [charts/c/values-prod.yaml]}\n`;
    const release = helmRelease('  chartRef: {kind: HelmChart, name: hc}\n  values: {more: true}\n');
    const files = {
      ...chart('charts/c'),
      'charts/c/values-prod.yaml': 'image: {repository: q.io/prod, tag: "2"}\n',
      'r.yaml': release,
    };
    expect(await found({ ...files, 'hc.yaml': helmChart('GitRepository') })).toMatchObject({
      used: ['q.io/b:2', 'q.io/prod:2'],
      warnings: [],
    });
    const elsewhere = (name: string) => `the chart [${name}] is elsewhere: its images are not found`;
    expect((await found({ ...files, 'hc.yaml': helmChart('HelmRepository', 'redis') })).warnings).toEqual([
      elsewhere('redis'),
    ]);
    expect((await found({ 'r.yaml': release })).warnings).toEqual([elsewhere('hc')]);
    expect((await scanFile('r.yaml', Buffer.from(release))).warnings).toMatchObject([
      { text: elsewhere('hc'), line: 1 },
    ]);
  });

  it.each([
    ['values', '    helm: {values: "image: {tag: 5}"}\n'],
    ['an object', '    helm: {valuesObject: {image: {tag: "5"}}}\n'],
    ['parameters', '    helm: {parameters: [{name: image.tag, value: "5"}]}\n'],
    ['files', '    helm: {valueFiles: [values.yaml, ../../env/five.yaml]}\n'],
    ['files from the top', '    helm: {valueFiles: [/env/five.yaml, absent.yaml], ignoreMissingValueFiles: true}\n'],
  ])('is deployed by an Application with %s', async (_, helm) => {
    const files = { ...chart('charts/c'), 'env/five.yaml': 'image: {tag: "5"}\n', 'apps/a.yaml': application(helm) };
    expect((await found(files)).used).toEqual(['q.io/a:5']);
  });

  it('is deployed by an Application of several sources', async () => {
    const text =
      'apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  sources:\n  - {repoURL: x, ref: values}\n  - {repoURL: x, path: charts/c, helm: {valueFiles: [$values/env/five.yaml]}}\n';
    const files = { ...chart('charts/c'), 'env/five.yaml': 'image: {tag: "5"}\n', 'a.yaml': text };
    expect((await found(files)).used).toEqual(['q.io/a:5']);
  });

  it('is deployed by an ApplicationSet once for each element of a list', async () => {
    const text =
      'apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nspec:\n  generators: [{list: {elements: [{tag: v1}, {tag: v2}]}}]\n  template: {spec: {source: {path: charts/c, helm: {parameters: [{name: image.tag, value: "{{tag}}"}]}}}}\n';
    expect((await found({ ...chart('charts/c'), 'a.yaml': text })).used).toEqual(['q.io/a:v1', 'q.io/a:v2']);
    const elements = Array.from({ length: 103 }, (_, at) => `{tag: v${at}}`).join(', ');
    const many = { ...chart('charts/c'), 'a.yaml': text.replace('{tag: v1}, {tag: v2}', elements) };
    const { used, warnings } = await found(many);
    expect([used.length, warnings]).toEqual([100, [expect.stringContaining('this and 2 more')]]);
    const tooMany = Array.from({ length: 1003 }, (_, at) => `{tag: v${at}}`).join(', ');
    const cut = await found({ ...chart('charts/c'), 'a.yaml': text.replace('{tag: v1}, {tag: v2}', tooMany) });
    expect(cut.warnings).toContainEqual(expect.stringContaining('the last 3 are not looked at'));
  });

  it("is deployed by a HelmChart of k3s, packed or not, with its HelmChartConfig's values", async () => {
    const helmChart = (path: string) =>
      `apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {name: x}\nspec:\n  chart: ${path}\n  valuesContent: |-\n    image: {tag: "3"}\n  set: {image.repository: q.io/k}\n`;
    const config =
      'apiVersion: helm.cattle.io/v1\nkind: HelmChartConfig\nmetadata: {name: x}\nspec: {valuesContent: "more: true"}\n';
    const plain = { ...chart('charts/c'), 'x.yaml': helmChart('./charts/c'), 'config.yaml': config };
    expect(await found(plain)).toMatchObject({ used: ['q.io/b:3', 'q.io/k:3'], warnings: [] });
    const packed = packedChart(chart('c'));
    const result = await scanFiles({
      'static/c-1.0.0.tgz': packed,
      'x.yaml': helmChart('https://%{KUBERNETES_API}%/static/charts/c-1.0.0.tgz'),
    });
    expect(imagesOf(result)).toEqual(['q.io/k:3']);
  });

  it('stands in a HelmChart of k3s itself', async () => {
    const helmChart = (content: string) =>
      `apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {name: x}\nspec:\n  chartContent: ${content}\n  valuesContent: |-\n    image: {tag: "3"}\n`;
    const packed = Buffer.from(packedChart(chart('c'))).toString('base64');
    const files = { 'x.yaml': helmChart(packed), 'y.yaml': helmChart(packed).replaceAll('"3"', '"4"') };
    expect(await found(files)).toMatchObject({ used: ['q.io/a:3', 'q.io/a:4'], warnings: [] });
    const folded = `|\n${packed.replace(/(.{1,70})/g, '    $1\n')}`;
    expect(await found({ 'x.yaml': helmChart(folded) })).toMatchObject({ used: ['q.io/a:3'], warnings: [] });
    const { findings } = await scanFile('x.yaml', Buffer.from(files['x.yaml']));
    expect(findings.filter(({ certainty }) => certainty === 'used')).toMatchObject([
      { image: 'q.io/a:3', position: { file: 'x.yaml!c/templates/pod.yaml' } },
    ]);
    const { warnings } = await scanFiles({ 'x.yaml': helmChart(Buffer.from('no chart').toString('base64')) });
    expect(warnings).toMatchObject([
      { file: 'x.yaml', text: expect.stringMatching(/\[chartContent\] cannot be read/) },
    ]);
  });

  it('is deployed by a kustomization', async () => {
    const files = {
      ...chart('k/charts/c'),
      'k/kustomization.yaml': 'helmCharts: [{name: c, valuesFile: prod.yaml, valuesInline: {more: true}}]\n',
      'k/prod.yaml': 'image: {tag: "6"}\n',
    };
    expect(await found(files)).toEqual({
      used: ['q.io/a:6', 'q.io/b:6'],
      maybe: ['q.io/a:1', 'q.io/b:1'],
      warnings: [],
    });
  });

  it("is deployed by a helmfile, and by Fleet's", async () => {
    const helmfile =
      'releases:\n- {name: x, chart: ./charts/c, values: [prod.yaml, {more: true}], set: [{name: image.repository, value: q.io/z}]}\n- {name: y, chart: ./charts/c, installed: false}\n';
    const files = { ...chart('charts/c'), 'helmfile.yaml': helmfile, 'prod.yaml': 'image: {tag: "6"}\n' };
    expect((await found(files)).used).toEqual(['q.io/b:6', 'q.io/z:6']);
    const fleet = { ...chart('charts/c'), 'charts/c/fleet.yaml': 'helm:\n  values: {image: {tag: "7"}}\n' };
    expect((await found(fleet)).used).toEqual(['q.io/a:7']);
  });

  it.each(['helmfile.yaml', 'helmfile.yaml.gotmpl', 'helmfile.d/a.yaml.gotmpl'])(
    'is deployed by a template, %s',
    async (name) => {
      const helmfile = (tag: string) =>
        `environments:\n  default:\n    values: [{tag: "7"}, env.yaml]\n---\nreleases:\n- name: x\n  chart: ./charts/c\n  values:\n  - image: {tag: ${tag}, more: "{{ .Values | get "a.b" "c" }}"}\n{{- if .Values.prod }}\n  - prod.yaml\n{{- end }}\n- {name: y, chart: bitnami/y, values: [{image: q.io/y:{{ .Values.tag }}}]}\n`;
      const top = name.startsWith('helmfile.d/') ? 'helmfile.d/' : '';
      const files = (tag: string) => ({
        ...chart(`${top}charts/c`),
        [`${top}env.yaml`]: 'prod: true\n',
        [`${top}prod.yaml`]: 'image: {repository: q.io/prod}\n',
        [name]: helmfile(tag),
      });
      const { used, warnings } = await found(files('"{{ .Values.tag }}"'));
      expect(warnings).toEqual([]);
      expect(used).toContain('q.io/prod:7');
      const result = await scanFiles(files('"{{ .Values.tag }}"'));
      expect(result.findings).toContainEqual(
        expect.objectContaining({ image: 'q.io/y:7', position: expect.objectContaining({ file: name, line: 13 }) }),
      );
      const open = await found(files('{{ requiredEnv "TAG" }}'));
      expect(open.used).toEqual(expect.not.arrayContaining(['q.io/prod:7']));
      expect(open.warnings.filter((text) => text.includes('`helmfile build`'))).toEqual([
        expect.stringContaining('[requiredEnv "TAG"] is not known here'),
      ]);
      const broken = await found({ [name]: `releases:\n- {name: {{ if }}}\n- values:\n  - image: q.io/z:1\n` });
      expect(broken.warnings).toEqual([expect.stringContaining('`helmfile build`')]);
      expect([...broken.used, ...broken.maybe]).toContain('q.io/z:1');
    },
  );

  it('in another chart may be deployed on its own', async () => {
    const files = {
      ...chart('outer'),
      ...chart('outer/charts/c'),
      'a.yaml': application('    helm: {parameters: [{name: image.tag, value: "5"}]}\n').replace(
        'charts/c',
        'outer/charts/c',
      ),
    };
    expect((await found(files)).used).toContain('q.io/a:5');
  });

  it('may have more files of values, whose images are uncertain', async () => {
    const files = {
      ...chart('charts/c'),
      'charts/c/values-site.yaml': 'image: {repository: mirror.example/a}\n',
      'charts/c/ci/more-values.yaml': 'more: true\n',
    };
    expect(await found(files)).toEqual({ used: ['q.io/a:1'], maybe: ['mirror.example/a:1', 'q.io/b:1'], warnings: [] });
    const result = await scanFiles(files);
    expect(result.findings.map(({ reason }) => reason)).toContain('only with [charts/c/values-site.yaml]');
  });

  it('has so many of them that a warning says which are not looked at', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 25 }, (_, index) => [`charts/c/values-${index + 10}.yaml`, 'more: true\n']),
    );
    expect((await found({ ...chart('charts/c'), ...many })).warnings).toEqual([
      expect.stringContaining('this and 4 more'),
    ]);
  });

  it('has so many releases that a warning says which are not looked at', async () => {
    const many = Array.from({ length: 103 }, (_, index) =>
      helmRelease(`${CHART}  values: {image: {tag: "${index}"}}\n`),
    );
    const { used, warnings } = await found({ ...chart('charts/c'), 'r.yaml': many.join('---\n') });
    expect(used).toHaveLength(100);
    expect(warnings).toEqual([expect.stringContaining('this and 2 more')]);
  });

  it('that is elsewhere is not taken for one in the tree', async () => {
    const remote = helmRelease(
      '  chart: {spec: {chart: c, sourceRef: {kind: HelmRepository, name: g}}}\n  values: {image: {tag: "8"}}\n',
    );
    expect((await found({ ...chart('c'), 'r.yaml': remote })).used).toEqual(['q.io/a:1']);
  });
});
