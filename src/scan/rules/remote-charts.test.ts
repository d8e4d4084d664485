import { describe, expect, it } from 'vitest';
import { scanText, usedIn, whyIn } from '../testing/scan-files.ts';

const application = (...lines: readonly string[]): string =>
  ['apiVersion: argoproj.io/v1alpha1', 'kind: Application', 'spec:', '  source:', '    chart: x', ...lines].join('\n');

describe('charts that are installed from elsewhere', () => {
  it('show the images that single parameters make, and where', () => {
    const text = application(
      '    helm:',
      '      parameters:',
      '        - {name: web.image.repository, value: quay.io/a/web}',
      '        - {name: web.image.tag, value: v1}',
      '        - {name: replicas, value: "3"}',
    );
    expect(whyIn(text)).toEqual(['quay.io/a/web:v1 8 web.image.repository']);
  });

  it("show those of k3s' set too", () => {
    const text =
      'apiVersion: helm.cattle.io/v1\nkind: HelmChart\nspec:\n  chart: x\n  set:\n    image.repository: quay.io/a/b\n    image.tag: v2\n';
    expect(usedIn(text)).toEqual(['quay.io/a/b:v2']);
  });

  it('are named in a warning where no image is set', () => {
    const release =
      'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec: {chart: {spec: {chart: podinfo, sourceRef: {kind: HelmRepository}}}}\n';
    const warnings = scanText(`${application()}\n---\n${release}`).warnings.map(({ line, text }) => `${line} ${text}`);
    expect(warnings).toEqual([
      '5 the chart [x] is elsewhere: its images are not found',
      '7 the chart [podinfo] is elsewhere: its images are not found',
    ]);
    expect(scanText(`${application()}\n    helm: {values: "image: quay.io/a/b:1\\n"}\n`).warnings).toEqual([]);
    expect(scanText(release.replace('HelmRepository', 'GitRepository')).warnings).toEqual([]);
  });

  it('may have names of properties of JavaScript objects', () => {
    const text = application(
      '    helm: {parameters: [{name: __proto__.image.tag, value: v1}, {name: a.b, value: x}, {name: a, value: y}]}',
    );
    expect(usedIn(text)).toEqual([]);
  });
});
