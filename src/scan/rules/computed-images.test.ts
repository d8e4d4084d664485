import { describe, expect, it } from 'vitest';
import { maybeIn, scanText, usedIn } from '../testing/scan-files.ts';

const resource = (apiVersion: string, kind: string, spec: string) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nspec: ${spec}\n`;

describe('images that an operator puts together', () => {
  it.each([
    [
      'elasticsearch.k8s.elastic.co/v1',
      'Elasticsearch',
      '{version: 8.11.0}',
      'docker.elastic.co/elasticsearch/elasticsearch:8.11.0',
    ],
    [
      'beat.k8s.elastic.co/v1beta1',
      'Beat',
      '{type: metricbeat, version: 8.11.0}',
      'docker.elastic.co/beats/metricbeat:8.11.0',
    ],
    ['monitoring.coreos.com/v1', 'Prometheus', '{version: v2.45.0}', 'quay.io/prometheus/prometheus:v2.45.0'],
    ['monitoring.coreos.com/v1', 'ThanosRuler', '{version: v0.32.0}', 'quay.io/thanos/thanos:v0.32.0'],
  ])('%s %s %s is uncertain', (apiVersion, kind, spec, image) => {
    const text = resource(apiVersion, kind, spec);
    expect([usedIn(text), maybeIn(text)]).toEqual([[], [image]]);
  });

  it('are what `image` says where it says something', () => {
    const text = resource(
      'monitoring.coreos.com/v1',
      'Prometheus',
      '{version: v2.45.0, image: quay.io/a/prometheus:v2}',
    );
    expect([usedIn(text), maybeIn(text)]).toEqual([['quay.io/a/prometheus:v2'], []]);
  });

  it('of kubeadm follow its version and repository', () => {
    const text =
      'apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\nkubernetesVersion: v1.29.0\nimageRepository: example.com/k8s\netcd: {local: {imageTag: 3.5.10-0}}\n';
    expect(maybeIn(text)).toEqual([
      'example.com/k8s/etcd:3.5.10-0',
      ...['apiserver', 'controller-manager', 'proxy', 'scheduler'].map(
        (name) => `example.com/k8s/kube-${name}:v1.29.0`,
      ),
    ]);
  });

  it('of Istio and KubeVirt come from a hub or a registry', () => {
    expect(
      maybeIn(resource('install.istio.io/v1alpha1', 'IstioOperator', '{hub: docker.io/istio, tag: 1.20.0}')),
    ).toEqual(['docker.io/istio/pilot:1.20.0', 'docker.io/istio/proxyv2:1.20.0']);
    expect(
      maybeIn(resource('kubevirt.io/v1', 'KubeVirt', '{imageRegistry: quay.io/kubevirt, imageTag: v1.1.0}')),
    ).toHaveLength(4);
  });

  it('give a warning where the operator alone knows their names', () => {
    const { findings, warnings } = scanText(resource('operator.tigera.io/v1', 'Installation', '{}'));
    expect(findings).toEqual([]);
    expect(warnings).toMatchObject([{ text: expect.stringContaining('--print-images') }]);
  });
});
