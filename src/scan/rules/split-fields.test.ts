import { describe, expect, it } from 'vitest';
import { maybeIn, usedIn, whyIn } from '../testing/scan-files.ts';

const resource = (spec: string) => `apiVersion: example.com/v1\nkind: Thing\nspec:\n  ${spec}\n`;
const HEX = 'd'.repeat(64);

describe('references in parts', () => {
  it.each([
    ['image: {repository: quay.io/a/b, tag: 1.20}', 'quay.io/a/b:1.20'],
    ['image: {registry: quay.io, repository: a/b, tag: v1}', 'quay.io/a/b:v1'],
    ['proxy: {image: {name: cr.l5d.io/linkerd/proxy, version: stable-2.14}}', 'cr.l5d.io/linkerd/proxy:stable-2.14'],
    ['driver: {repository: nvcr.io/nvidia, image: driver, version: "535.104"}', 'nvcr.io/nvidia/driver:535.104'],
    ['agent: {repository: quay.io/a/agent, version: v2}', 'quay.io/a/agent:v2'],
    [`image: {repository: quay.io/a/b, digest: "sha256:${HEX}"}`, `quay.io/a/b@sha256:${HEX}`],
    [`image: {repository: quay.io/a/b, tag: v1, digest: "${HEX}"}`, `quay.io/a/b:v1@sha256:${HEX}`],
    ['imageRepository: quay.io/a/b\n  imageTag: v3', 'quay.io/a/b:v3'],
    ['images: {web: {repository: quay.io/a/web, tag: 1}}', 'quay.io/a/web:1'],
    ['images: [{name: quay.io/a/old, newName: quay.io/a/new, newTag: v9}]', 'quay.io/a/new:v9'],
  ])('%s is %s', (spec, image) => expect(usedIn(resource(spec))).toEqual([image]));

  it('are siblings too: image and imageTag, proxyImage and proxyImageTag, image_name and image_version', () => {
    expect(usedIn(resource('image_name: quay.io/a/b\n  image_version: v1'))).toEqual(['quay.io/a/b:v1']);
    expect(usedIn(resource('image: quay.io/a/b\n  imageTag: v1'))).toEqual(['quay.io/a/b:v1']);
    expect(usedIn(resource('cni: {image: quay.io/a/cni, version: v3}'))).toEqual(['quay.io/a/cni:v3']);
    expect(usedIn(resource('image: quay.io/a/cni\n  version: v3\n  size: 1'))).toEqual(['quay.io/a/cni']);
    expect(usedIn(resource('webImageName: quay.io/a/w\n  webImageTag: v2'))).toEqual(['quay.io/a/w:v2']);
    expect(usedIn(resource('proxyImage: quay.io/a/p\n  proxyImageTag: v2'))).toEqual(['quay.io/a/p:v2']);
  });

  it('have the position of their fields', () => {
    expect(whyIn(resource('web:\n    image:\n      repository: quay.io/a/b\n      tag: v1'))).toEqual([
      'quay.io/a/b:v1 6 spec.web.image.repository',
    ]);
  });

  it('are uncertain if their reader may join them in another way', () => {
    expect(maybeIn(resource('image: {name: agent, tag: 7}'))).toEqual(['agent:7']);
    expect(usedIn(resource('image: {name: a/agent, tag: 7}'))).toEqual(['a/agent:7']);
    expect(usedIn(resource('image: {repository: agent, tag: 7}'))).toEqual(['agent:7']);
    expect(maybeIn(resource('image: {repository: acme, name: agent, tag: 7}'))).toEqual(['acme/agent:7']);
  });

  it('without a tag are uncertain', () => {
    expect([
      usedIn(resource('image: {repository: quay.io/a/b}')),
      maybeIn(resource('image: {repository: quay.io/a/b, tag: ""}')),
    ]).toEqual([[], ['quay.io/a/b']]);
  });

  it.each([
    'dependency: {name: redis, version: 17.0.0, repository: "https://charts.example.com/x"}',
    'dependency: {name: redis, version: 17.0.0, repository: "oci://ghcr.io/charts"}',
    'source: {repository: a/b, branch: main, tag: v1}',
    'source: {repoURL: quay.io/charts, chart: redis, repository: a/b, version: 1}',
    'image: {repository: "{{ .x }}", tag: v1}',
    'component: {name: a/b, version: v1}',
    'image: {pullPolicy: Always, tag: v1}',
  ])('%s is ignored', (spec) => expect([usedIn(resource(spec)), maybeIn(resource(spec))]).toEqual([[], []]));
});
