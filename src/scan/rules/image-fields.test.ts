import { describe, expect, it } from 'vitest';
import { maybeIn, scanText, usedIn, whyIn } from '../testing/scan-files.ts';

const resource = (spec: string, apiVersion = 'example.com/v1') =>
  `apiVersion: ${apiVersion}\nkind: Thing\nspec:\n  ${spec}\n`;

describe('fields that hold a whole reference', () => {
  it.each([
    ['image: quay.io/a/b:v1', 'quay.io/a/b:v1'],
    ['image: a/b', 'a/b'],
    ['image: app:1.2', 'app:1.2'],
    ['imageName: ghcr.io/cloudnative-pg/postgresql:15.3', 'ghcr.io/cloudnative-pg/postgresql:15.3'],
    ['proxyImage: envoyproxy/envoy:v1.27', 'envoyproxy/envoy:v1.27'],
    ['docker_image: ghcr.io/zalando/spilo-15:3.0-p1', 'ghcr.io/zalando/spilo-15:3.0-p1'],
    ['cephVersion: {image: quay.io/ceph/ceph:v18}', 'quay.io/ceph/ceph:v18'],
    ['images: [quay.io/a/b:1]', 'quay.io/a/b:1'],
    ['images: {web: quay.io/a/b:1}', 'quay.io/a/b:1'],
    ['images: "java=quay.io/a/b:1"', 'quay.io/a/b:1'],
    ['relatedImages: [{name: quay.io/a/b, image: quay.io/a/b:1}]', 'quay.io/a/b:1'],
    ['from: {kind: DockerImage, name: quay.io/a/b:1}', 'quay.io/a/b:1'],
    ['proxy: ghcr.io/a/b:v1', 'ghcr.io/a/b:v1'],
    [`whatever: example.com/a/b@sha256:${'c'.repeat(64)}`, `example.com/a/b@sha256:${'c'.repeat(64)}`],
    ['source: {registry: {url: "docker://quay.io/a/vm:1"}}', 'quay.io/a/vm:1'],
    ['additionalImages: [{name: a/b:1}]', 'a/b:1'],
    ['source: {registry: {image: docker://quay.io/a/disk:1}}', 'quay.io/a/disk:1'],
  ])('%s is used', (spec, image) => expect(usedIn(resource(spec))).toEqual([image]));

  it.each([
    'icon: https://example.com/a.png',
    'image: https://example.com/a.png',
    'image: pictures/logo.png',
    'image: ubuntu-22.04.qcow2',
    'image: {pullPolicy: Always}',
    'imagePullPolicy: Always',
    'imageTag: v1.2',
    'address: localhost:8080',
    'when: "12:30"',
    'mediaType: application/vnd.oci.image.manifest.v1+json',
    'group: system:masters',
    'path: /var/lib/images:ro',
    'host: registry.example.com:5000',
    'url: quay.io/a/b:v1',
    'service: grafana.monitoring.svc/path:80',
    'description: uses quay.io/a/b:v1',
    'labels: {image: quay.io/a/b:v1}',
    'osImage: ubuntu',
    'image: ""',
    'helm: {ociRepository: {ref: "ghcr.io/x/extension:v1"}}',
    'install: {ref: "ghcr.io/x/charts/extension:v1"}',
  ])('%s is ignored', (spec) => expect([usedIn(resource(spec)), maybeIn(resource(spec))]).toEqual([[], []]));

  it('with a bare name are uncertain', () => {
    expect([usedIn(resource('image: nginx')), maybeIn(resource('image: nginx'))]).toEqual([[], ['nginx']]);
  });

  it('are found in lists of images: ImagesLock, kind', () => {
    const lock = 'apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages:\n- image: quay.io/a/b@sha256:';
    expect(usedIn(`${lock}${'e'.repeat(64)}\n`)).toEqual([`quay.io/a/b@sha256:${'e'.repeat(64)}`]);
    const kind =
      'apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nnodes: [{role: worker, image: "kindest/node:v1.29.0"}]\n';
    expect(usedIn(kind)).toEqual(['kindest/node:v1.29.0']);
  });

  it('can be keys of ConfigMaps, too', () => {
    const text =
      'apiVersion: v1\nkind: ConfigMap\ndata:\n  queue-sidecar-image: gcr.io/knative-releases/queue:v1\n  ROOK_CSI_CEPH_IMAGE: "quay.io/cephcsi/cephcsi:v3"\n';
    expect(whyIn(text)).toEqual([
      'gcr.io/knative-releases/queue:v1 4 data.queue-sidecar-image',
      'quay.io/cephcsi/cephcsi:v3 5 data.ROOK_CSI_CEPH_IMAGE',
    ]);
  });

  it('of machines are disks, unless only a container image is written so', () => {
    const infrastructure = 'infrastructure.cluster.x-k8s.io/v1beta1';
    expect(maybeIn(resource('image: debian-cloud/debian-11', infrastructure))).toEqual([]);
    expect(usedIn(resource('customImage: docker.io/kindest/node:v1.29', infrastructure))).toEqual([
      'docker.io/kindest/node:v1.29',
    ]);
  });

  it('that are watched or built are not run', () => {
    expect(usedIn(resource('image: ghcr.io/a/b:1', 'image.toolkit.fluxcd.io/v1'))).toEqual([]);
    expect(scanText(resource('image: ghcr.io/a/b:1', 'image.toolkit.fluxcd.io/v1')).findings).toMatchObject([
      { certainty: 'maybe', reason: expect.stringContaining('watched') },
    ]);
  });

  it('outside of Kubernetes objects are uncertain', () => {
    expect([usedIn('image: quay.io/a/b:1\n'), maybeIn('image: quay.io/a/b:1\n')]).toEqual([[], ['quay.io/a/b:1']]);
  });

  it('with a placeholder give a warning', () => {
    expect(scanText(resource(`image: quay.io/a/b:\${TAG}`)).warnings).toHaveLength(1);
  });

  it('without a tag are in use in objects, and uncertain in ConfigMaps, Secrets and settings', () => {
    const settings = (kind: string) =>
      `apiVersion: v1\nkind: ${kind}\n${kind === 'Secret' ? 'stringData' : 'data'}:\n  a-image: example/a\n  b-image: quay.io/x/b\n  c-images: "x=example/c,y=example/d:1"\n  e-image: example/e:1\n`;
    for (const kind of ['ConfigMap', 'Secret']) {
      expect(usedIn(settings(kind))).toEqual(['example/d:1', 'example/e:1']);
      expect(maybeIn(settings(kind))).toEqual(['example/a', 'example/c', 'quay.io/x/b']);
    }
    const embedded =
      'apiVersion: v1\nkind: ConfigMap\ndata:\n  c.yaml: |\n    proxyImage: example/a\n    env: [{name: B_IMAGE, value: example/b}]\n';
    expect([usedIn(embedded), maybeIn(embedded)]).toEqual([[], ['example/a', 'example/b']]);
    expect(usedIn(resource('proxyImage: example/a'))).toEqual(['example/a']);
  });

  it('may be addresses of models', () => {
    const service = (model: string) =>
      `apiVersion: serving.kserve.io/v1alpha1\nkind: LLMInferenceService\nspec: ${model}\n`;
    expect(
      usedIn(service('{model: {uri: "oci://quay.io/x/llm:1", lora: {adapters: [{uri: "oci://x.example/lora"}]}}}')),
    ).toEqual(['quay.io/x/llm:1', 'x.example/lora']);
    expect(usedIn(service('{predictor: {model: {storageUri: "s3://bucket/x:1"}}}'))).toEqual([]);
    expect(usedIn(resource('storageUri: oci://x.example/m:1', 'mlops.seldon.io/v1alpha1'))).toEqual(['x.example/m:1']);
    expect(usedIn(resource(`modelUri: oci://x.example/m@sha256:${'e'.repeat(64)}`))).toHaveLength(1);
  });

  it('with the address of something else in a registry are uncertain; charts and bundles are ignored', () => {
    expect(maybeIn(resource('module: oci://quay.io/x/policy:1'))).toEqual(['quay.io/x/policy:1']);
    for (const field of ['url', 'repoURL', 'chart', 'bundle']) {
      expect(maybeIn(resource(`${field}: oci://quay.io/x/y:1`))).toEqual([]);
    }
    expect(maybeIn(resource('from: oci://ghcr.io/x/charts/y:1'))).toEqual([]);
  });
});
