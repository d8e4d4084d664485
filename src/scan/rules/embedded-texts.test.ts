import { describe, expect, it } from 'vitest';
import { maybeIn, scanText, usedIn, whyIn } from '../testing/scan-files.ts';

const indent = (text: string) =>
  text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
const configMap = (text: string, kind = 'ConfigMap', field = 'data') =>
  `apiVersion: v1\nkind: ${kind}\n${field}:\n  file: |\n${indent(text)}\n`;

const POD = 'apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: helper\n    image: busybox\n';

describe('texts inside texts', () => {
  it('that are manifests are read as such, with their lines in the file', () => {
    expect(whyIn(configMap(POD))).toEqual(['busybox 10 data.file > spec.containers[0].image']);
  });

  it('that are configuration, in YAML or JSON, are read for image fields', () => {
    expect(usedIn(configMap('executor:\n  image: quay.io/argoproj/argoexec:v3\n'))).toEqual([
      'quay.io/argoproj/argoexec:v3',
    ]);
    expect(usedIn('apiVersion: v1\nkind: ConfigMap\ndata:\n  c: \'{"proxy": {"image": "quay.io/a/b:1"}}\'\n')).toEqual([
      'quay.io/a/b:1',
    ]);
    expect(usedIn(configMap('image: {repository: quay.io/a/b, tag: v2}\n'))).toEqual(['quay.io/a/b:v2']);
  });

  it('of Secrets are read, plain or in base64', () => {
    expect(usedIn(configMap(POD, 'Secret', 'stringData'))).toEqual(['busybox']);
    expect(usedIn(`apiVersion: v1\nkind: Secret\ndata:\n  x: ${Buffer.from(POD).toString('base64')}\n`)).toEqual([
      'busybox',
    ]);
  });

  it('may be nested', () => {
    expect(whyIn(configMap(configMap(POD)))).toEqual(['busybox 14 data.file > data.file > spec.containers[0].image']);
  });

  it('may be nested only so deep; a warning names what is not read', () => {
    let text = POD;
    for (let level = 0; level < 5; level++) text = configMap(text);
    expect(usedIn(text)).toEqual(['busybox']);
    const { warnings } = scanText(configMap(text));
    expect(usedIn(configMap(text))).toEqual([]);
    expect(warnings.map((warning) => warning.text)).toEqual([
      expect.stringMatching(/data\.file: texts in texts, more than 5 deep, are not looked into$/),
    ]);
  });

  it('that are templates are read line by line: complete images are used, others cause a warning', () => {
    const { warnings } = scanText(
      configMap('{{- if .x }}\ncontainers:\n- image: "{{ .y }}"\n- image: "quay.io/a/b:1"\n{{- end }}\n'),
    );
    expect(usedIn(configMap('{{- if .x }}\ncontainers:\n- image: "quay.io/a/b:1"\n{{- end }}\n'))).toEqual([
      'quay.io/a/b:1',
    ]);
    expect(warnings).toMatchObject([{ line: 7, text: expect.stringContaining('{{ .y }}') }]);
  });

  it('that are values of a chart are read, as a text or as fields', () => {
    expect(
      usedIn(
        'apiVersion: helm.cattle.io/v1\nkind: HelmChart\nspec:\n  valuesContent: |-\n    image:\n      repository: quay.io/a/b\n      tag: 1.20\n',
      ),
    ).toEqual(['quay.io/a/b:1.20']);
    expect(
      usedIn(
        'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec: {values: {image: {registry: quay.io, repository: a/b, tag: v1}}}\n',
      ),
    ).toEqual(['quay.io/a/b:v1']);
  });

  it('that are settings or scripts have used images at telling names, and uncertain ones elsewhere', () => {
    expect(usedIn(configMap('# comment\nSIDECAR_IMAGE=quay.io/a/sidecar:1\nLEVEL=info\n'))).toEqual([
      'quay.io/a/sidecar:1',
    ]);
    expect([
      usedIn(configMap('#!/bin/sh\nctr pull quay.io/a/b:1\n')),
      maybeIn(configMap('#!/bin/sh\nctr pull quay.io/a/b:1\n')),
    ]).toEqual([[], ['quay.io/a/b:1']]);
  });

  it("that are an operator's examples are uncertain", () => {
    const example = JSON.stringify([{ apiVersion: 'x/v1', kind: 'X', spec: { image: 'quay.io/a/b:1' } }]);
    const csv = `apiVersion: operators.coreos.com/v1alpha1\nkind: ClusterServiceVersion\nmetadata:\n  annotations:\n    alm-examples: '${example}'\nspec:\n  relatedImages: [{name: c, image: quay.io/a/c:1}]\n`;
    expect([usedIn(csv), maybeIn(csv)]).toEqual([['quay.io/a/c:1'], ['quay.io/a/b:1']]);
  });

  it('that say nothing of images are left alone', () => {
    expect(scanText(configMap('{"panels": [{"expr": "up{image!=\\"\\"}"}]}'))).toEqual({ findings: [], warnings: [] });
    expect(scanText(configMap('server {\n  listen 8080;\n  proxy_pass http://localhost:8080/path;\n}\n'))).toEqual({
      findings: [],
      warnings: [],
    });
  });
});
