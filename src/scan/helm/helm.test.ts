import { describe, expect, it } from 'vitest';
import { imagesOf } from '../images.ts';
import { scanFiles } from '../testing/scan-files.ts';

type Files = Readonly<Record<string, string>>;

const CHART = 'apiVersion: v2\nname: app\nversion: 0.1.0\nappVersion: "1.2.3"\n';

const workload = (image: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  template:
    spec:
      containers:
        - name: app
          image: ${image}
`;

const chart = (values: string, templates: Files): Files => ({
  'Chart.yaml': CHART,
  'values.yaml': values,
  ...Object.fromEntries(Object.entries(templates).map(([name, text]) => [`templates/${name}`, text])),
});

async function usedBy(files: Files): Promise<readonly string[]> {
  return imagesOf(await scanFiles(files));
}

async function maybes(files: Files): Promise<readonly string[]> {
  const { findings } = await scanFiles(files);
  return findings.filter(({ certainty }) => certainty === 'maybe').map(({ image, reason }) => `${image}: ${reason}`);
}

describe('the image of a chart', () => {
  it.each([
    ['"{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"', 'quay.io/x/app:1.2.3'],
    ['{{ printf "%s:v%s" .Values.image.repository .Chart.AppVersion | quote }}', 'quay.io/x/app:v1.2.3'],
    [
      '{{ with .Values.image }}{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:latest{{ end }}{{ end }}',
      'quay.io/x/app:latest',
    ],
    ['{{ tpl .Values.whole . }}', 'docker.io/y:1.2.3'],
    ['{{ include "app.image" . }}', 'quay.io/x/app:1.2'],
    ['{{ coalesce .Values.image.tag .Values.other "busybox" }}', 'busybox'],
  ])('%s', async (image, expected) => {
    const values = 'image: {repository: quay.io/x/app, tag: ""}\nwhole: docker.io/y:{{ .Chart.AppVersion }}\n';
    const helpers =
      '{{- define "app.image" -}}\n{{ $v := semver .Chart.AppVersion }}\n{{- .Values.image.repository }}:{{ $v.Major }}.{{ $v.Minor }}\n{{- end }}\n';
    expect(await usedBy(chart(values, { 'd.yaml': workload(image), '_helpers.tpl': helpers }))).toEqual([expected]);
  });

  it('stands where the template writes it', async () => {
    const { findings } = await scanFiles(
      chart('{}', { 'd.yaml': `{{- if true }}\n{{/* a comment */}}\n${workload('a/b:1')}{{- end }}\n` }),
    );
    expect(findings).toMatchObject([
      {
        rule: 'helm, containers',
        position: { file: 'templates/d.yaml', line: 11, path: 'spec.template.spec.containers[0].image' },
      },
    ]);
  });

  it("is what Bitnami's library makes of it, with the library or without", async () => {
    const image = '{{ include "common.images.image" (dict "imageRoot" .Values.image "global" .Values.global) }}';
    const values =
      'global: {imageRegistry: ""}\nimage: {registry: docker.io, repository: bitnami/x, tag: 1-r0, digest: ""}\n';
    expect(await usedBy(chart(values, { 'd.yaml': workload(image) }))).toEqual(['docker.io/bitnami/x:1-r0']);
    const global = values.replace('imageRegistry: ""', 'imageRegistry: my.host:5000');
    expect(await usedBy(chart(global, { 'd.yaml': workload(image) }))).toEqual(['my.host:5000/bitnami/x:1-r0']);
    const digest = `sha256:${'a'.repeat(64)}`;
    expect(
      await usedBy(chart(values.replace('digest: ""', `digest: ${digest}`), { 'd.yaml': workload(image) })),
    ).toEqual([`docker.io/bitnami/x@${digest}`]);
  });

  it('in a comment, a README, NOTES.txt or a CRD is not counted', async () => {
    const files = {
      ...chart('# image: a/b:1\n', { 'NOTES.txt': 'image: c/d:1' }),
      'README.md': 'image: e/f:1',
      'crds/x.yaml': 'image: g/h:1',
    };
    expect((await scanFiles(files)).findings).toEqual([]);
  });
});

describe('uncertain in a chart', () => {
  it('is an image that is off by default, with the switch', async () => {
    const files = chart(
      'metrics: {enabled: false, image: {repository: quay.io/x/exporter, tag: 1.0.0}}\nunused: {image: {repository: a/b, tag: c}}\n',
      {
        'd.yaml': `{{- if .Values.metrics.enabled }}\n${workload('"{{ .Values.metrics.image.repository }}:{{ .Values.metrics.image.tag }}"')}{{- end }}\n`,
      },
    );
    expect(await maybes(files)).toEqual([
      'quay.io/x/exporter:1.0.0: off by default: .Values.metrics.enabled',
      'a/b:c: no template uses it with the default values',
    ]);
    expect(await usedBy(files)).toEqual([]);
  });

  it('is the image of a test hook', async () => {
    const test =
      'apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n    "helm.sh/hook": test\nspec:\n  containers: [{name: t, image: busybox:1}]\n';
    expect(await maybes(chart('{}', { 'tests/t.yaml': test }))).toEqual(['busybox:1: only run by `helm test`']);
  });

  it('is what depends on the version of Kubernetes', async () => {
    const image = 'kubectl:{{ .Capabilities.KubeVersion.Minor }}';
    expect(await maybes(chart('{}', { 'd.yaml': workload(image) }))).toEqual([
      'kubectl:34: depends on the Kubernetes version',
      'kubectl:25: depends on the Kubernetes version',
    ]);
  });

  it('is what Chart.yaml only lists', async () => {
    const files = {
      'Chart.yaml': `${CHART}annotations:\n  artifacthub.io/images: |\n    - name: x\n      image: quay.io/x/y:1\n`,
    };
    const { findings } = await scanFiles(files);
    expect(findings).toMatchObject([
      { image: 'quay.io/x/y:1', certainty: 'maybe', position: { file: 'Chart.yaml', line: 8 } },
    ]);
  });

  it('causes a warning if a value is required, a template does not parse, or a chart is not there', async () => {
    const dependency = 'dependencies:\n  - {name: redis, repository: "https://charts.example", version: 1.x.x}\n';
    const { findings, warnings } = await scanFiles({
      ...chart('{}', { 'a.yaml': workload('x:{{ required "tag!" .Values.tag }}'), 'b.yaml': '{{ if }}' }),
      'Chart.yaml': CHART + dependency,
    });
    expect(findings).toEqual([]);
    const texts = warnings.map(({ file, text }) => `${file} ${text}`).join('\n');
    expect(texts).toMatch(/a\.yaml .*a value is required: tag!/);
    expect(texts).toMatch(/b\.yaml the template does not parse/);
    expect(texts).toMatch(/Chart\.yaml the chart \[redis\] .* is not in charts/);
  });
});

describe('subcharts', () => {
  const subchart = (name: string): Files => ({
    [`charts/${name}/Chart.yaml`]: `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`,
    [`charts/${name}/values.yaml`]: 'tag: own\n',
    [`charts/${name}/templates/d.yaml`]: workload(`{{ .Values.global.registry }}/${name}:{{ .Values.tag }}`),
  });
  const parent = (dependencies: string, values: string): Files => ({
    'Chart.yaml': CHART + dependencies,
    'values.yaml': values,
    ...subchart('sub'),
  });

  it('get the values and globals of their parent', async () => {
    expect(await usedBy(parent('', 'global: {registry: quay.io/x}\nsub: {tag: given}\n'))).toEqual([
      'quay.io/x/sub:given',
    ]);
  });

  it('go by their alias', async () => {
    const dependencies = 'dependencies:\n  - {name: sub, alias: other}\n';
    expect(await usedBy(parent(dependencies, 'global: {registry: q}\nother: {tag: aliased}\n'))).toEqual([
      'q/sub:aliased',
    ]);
  });

  it.each([
    ['condition: sub.enabled', 'sub: {enabled: false}', 'sub.enabled'],
    ['tags: [extra]', 'tags: {extra: false}', 'tags.extra'],
  ])('are off by %s', async (how, values, reason) => {
    const files = parent(`dependencies:\n  - name: sub\n    ${how}\n`, `global: {registry: q}\n${values}\n`);
    expect(await usedBy(files)).toEqual([]);
    expect(await maybes(files)).toEqual([`q/sub:own: off by default: ${reason}`]);
  });
});

describe('the files of a chart', () => {
  const template = { 'templates/d.yaml': workload('{{ .Values.image }}') };

  it("are read as Go's parser does: texts that go on left of their parent, the first of several documents", async () => {
    const files = {
      'Chart.yaml': `description: "goes\non here"\n${CHART}`,
      'values.yaml': 'list: [\n1\n]\nimage: quay.io/x/app:1\n---\nimage: quay.io/x/app:2\n',
      ...template,
    };
    expect(await usedBy(files)).toEqual(['quay.io/x/app:1']);
  });

  it('give a warning where the default values do not parse', async () => {
    const { warnings } = await scanFiles({ 'Chart.yaml': CHART, 'values.yaml': 'image: [\n', ...template });
    expect(warnings).toContainEqual(
      expect.objectContaining({ file: 'values.yaml', text: expect.stringMatching(/^does not parse/) }),
    );
  });
});

describe('what is not rendered by default', () => {
  it('is found on both sides of a condition that begin with the same field', async () => {
    const template = workload('q.io/on:1').replace(
      '      containers:',
      '      {{- if .Values.x }}\n      initContainers:\n        - {name: a, image: q.io/a:1}\n        - name: b\n          image: q.io/b:1\n      {{- else if .Values.y }}\n      initContainers:\n        - name: c\n          image: q.io/c:1\n      {{- end }}\n      containers:',
    );
    const files = chart('x: false\ny: false\n', { 'd.yaml': template });
    expect(await usedBy(files)).toEqual(['q.io/on:1']);
    expect(await maybes(files)).toEqual(
      expect.arrayContaining(['q.io/b:1: off by default: .Values.x', 'q.io/c:1: off by default: .Values.y']),
    );
  });

  it('is nothing where it is only a part of what is rendered', async () => {
    const template = workload(
      '{{ if .Values.registry }}\n            {{ .Values.registry }}/a/app:1\n            {{ else }}\n            a/app:1\n            {{ end }}',
    );
    const values = 'registry: q.io\nimage: {repository: q.io/a, tag: "1"}\n';
    expect(await maybes(chart(values, { 'd.yaml': template }))).toEqual([]);
  });

  it('of a chart that is not here has not the version of this one', async () => {
    const files = {
      ...chart('db: {image: {repository: q.io/db}}\nown: {image: {repository: q.io/own}}\n', {}),
      'Chart.yaml': `${CHART}dependencies:\n- {name: db, repository: "https://charts.example.org", version: 1}\n`,
    };
    expect((await maybes(files)).map((line) => line.split(' ')[0])).toEqual(['q.io/db:', 'q.io/own:1.2.3:']);
  });
});
