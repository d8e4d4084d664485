import { describe, expect, it } from 'vitest';
import { maybeIn, usedIn } from '../testing/scan-files.ts';

const annotated = (key: string, value: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n    ${key}: ${JSON.stringify(value)}\n`;

describe('annotations', () => {
  it('that name an image are read', () => {
    expect(usedIn(annotated('sidecar.istio.io/proxyImage', 'docker.io/istio/proxyv2:1.20'))).toEqual([
      'docker.io/istio/proxyv2:1.20',
    ]);
    expect(maybeIn(annotated('example.com/image', 'a/b:1'))).toEqual(['a/b:1']);
  });

  it('that list images are read', () => {
    const list = '- name: a\n  image: quay.io/a/a:1\n- image: b:2\n';
    expect(usedIn(annotated('helm.sh/images', list))).toEqual(['b:2', 'quay.io/a/a:1']);
    expect(usedIn(annotated('artifacthub.io/images', list))).toEqual(['b:2', 'quay.io/a/a:1']);
  });

  it("with an operator's own image are uncertain", () => {
    expect([
      usedIn(annotated('containerImage', 'quay.io/a/b:1')),
      maybeIn(annotated('containerImage', 'quay.io/a/b:1')),
    ]).toEqual([[], ['quay.io/a/b:1']]);
  });

  it.each([
    ['kubectl.kubernetes.io/last-applied-configuration', '{"spec":{"containers":[{"image":"quay.io/a/b:1"}]}}\n'],
    ['argocd-image-updater.argoproj.io/image-list', 'ghcr.io/a/b:1'],
    ['imageregistry', 'https://hub.docker.com/'],
    ['example.com/note', 'quay.io/a/b:1'],
    ['example.com/image', 'true'],
  ])('%s: %s are ignored', (key, value) =>
    expect([usedIn(annotated(key, value)), maybeIn(annotated(key, value))]).toEqual([[], []]),
  );
});
