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
  ])('%s is nothing', (spec) => expect([usedIn(resource(spec)), maybeIn(resource(spec))]).toEqual([[], []]));

  it('with a bare name are uncertain', () => {
    expect([usedIn(resource('image: nginx')), maybeIn(resource('image: nginx'))]).toEqual([[], ['nginx']]);
  });

  it('are what lists of images are made of: ImagesLock, kind', () => {
    const lock = 'apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages:\n- image: quay.io/a/b@sha256:';
    expect(usedIn(`${lock}${'e'.repeat(64)}\n`)).toEqual([`quay.io/a/b@sha256:${'e'.repeat(64)}`]);
    const kind =
      'apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nnodes: [{role: worker, image: "kindest/node:v1.29.0"}]\n';
    expect(usedIn(kind)).toEqual(['kindest/node:v1.29.0']);
  });

  it('are the keys of ConfigMaps too', () => {
    const text =
      'apiVersion: v1\nkind: ConfigMap\ndata:\n  queue-sidecar-image: gcr.io/knative-releases/queue:v1\n  ROOK_CSI_CEPH_IMAGE: "quay.io/cephcsi/cephcsi:v3"\n';
    expect(whyIn(text)).toEqual([
      'gcr.io/knative-releases/queue:v1 4 data.queue-sidecar-image',
      'quay.io/cephcsi/cephcsi:v3 5 data.ROOK_CSI_CEPH_IMAGE',
    ]);
  });

  it('of machines are disks, unless nothing but a container image is written so', () => {
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
});
