// Operators that compute a reference from a version and their own defaults. Gives a maybe with that reason, or a warning if even the name is unknown.
import type { Finding, ListedRule, ScannedDocument, Warning } from '../contract.ts';
import { type Fields, fieldOf, scalarOf, textOf, valueAt } from '../fields.ts';
import { maybe, unresolved } from '../findings.ts';
import { judgeImage } from '../image-text.ts';
import { pathOf } from '../path.ts';
import { type KubernetesObject, mayMention, type Visit, visitsOf } from '../walk.ts';

const RULE = 'computed-images';

interface Computed {
  readonly group: string;
  readonly kind?: string;
  readonly images: (object: Fields) => readonly string[];
}

/** Kinds for which documentation tells the image of a version. A field `image` in the object overrides it. */
const COMPUTED: readonly Computed[] = [
  elastic('elasticsearch', 'Elasticsearch', () => 'elasticsearch/elasticsearch'),
  elastic('kibana', 'Kibana', () => 'kibana/kibana'),
  elastic('apm', 'ApmServer', () => 'apm/apm-server'),
  elastic('logstash', 'Logstash', () => 'logstash/logstash'),
  elastic('agent', 'Agent', () => 'beats/elastic-agent'),
  elastic('beat', 'Beat', (spec) => `beats/${textOf(spec, 'type') ?? 'filebeat'}`),
  elastic('enterprisesearch', 'EnterpriseSearch', () => 'enterprise-search/enterprise-search'),
  monitoring('Prometheus', 'quay.io/prometheus/prometheus'),
  monitoring('Alertmanager', 'quay.io/prometheus/alertmanager'),
  monitoring('ThanosRuler', 'quay.io/thanos/thanos'),
  { group: 'kubeadm.k8s.io', kind: 'ClusterConfiguration', images: kubeadmImages },
  { group: 'install.istio.io', kind: 'IstioOperator', images: (object) => hubImages(object, ['pilot', 'proxyv2']) },
  { group: 'kubevirt.io', kind: 'KubeVirt', images: kubeVirtImages },
];

/** Kinds whose images only the operator knows. */
const UNKNOWN: Readonly<Record<string, string>> = {
  'operator.tigera.io/Installation': 'the operator chooses its images: ask it with `operator --print-images=list`',
  'operator.knative.dev/KnativeServing': 'the operator brings its own manifests',
  'operator.knative.dev/KnativeEventing': 'the operator brings its own manifests',
  'operator.tekton.dev/TektonConfig': 'the operator brings its own manifests',
  'sailoperator.io/Istio': 'the operator brings its own manifests',
};

export const computedImages: ListedRule = {
  name: RULE,
  clue: /\bversion:|tigera/i,
  sample: 'apiVersion: kibana.k8s.elastic.co/v1\nkind: Kibana\nspec: {version: 8.1.0}\n',
  matches: (document) =>
    mayMention(document, /elastic|monitoring\.coreos|kubeadm|istio|kubevirt|tigera|knative|tekton/),
  *find(document) {
    for (const visit of visitsOf(document)) {
      if (visit.object && visit.value === visit.object.fields) yield* find(document, visit, visit.object);
    }
  },
};

function* find(document: ScannedDocument, visit: Visit, object: KubernetesObject): Iterable<Finding | Warning> {
  const spot = { document, path: [...pathOf(visit), 'spec'], rule: RULE };
  const why = UNKNOWN[`${object.group}/${object.kind}`];
  if (why) yield unresolved(object.kind, why, spot);
  for (const entry of COMPUTED) {
    if (entry.group !== object.group || entry.kind !== object.kind) continue;
    for (const image of entry.images(object.fields)) {
      if (judgeImage(image).kind === 'image')
        yield maybe(image, `what ${object.kind} starts is put together from its version`, spot);
    }
  }
}

function elastic(group: string, kind: string, path: (spec: unknown) => string): Computed {
  const images = (object: Fields): readonly string[] => {
    const spec = fieldOf(object, 'spec');
    const version = scalarOf(spec, 'version');
    return version === undefined || textOf(spec, 'image') ? [] : [`docker.elastic.co/${path(spec)}:${version}`];
  };
  return { group: `${group}.k8s.elastic.co`, kind, images };
}

function monitoring(kind: string, image: string): Computed {
  const images = (object: Fields): readonly string[] => {
    const spec = fieldOf(object, 'spec');
    const version = scalarOf(spec, 'tag') ?? scalarOf(spec, 'version');
    if (version === undefined || textOf(spec, 'image')) return [];
    return [`${textOf(spec, 'baseImage') ?? image}:${version}`];
  };
  return { group: 'monitoring.coreos.com', kind, images };
}

function kubeadmImages(object: Fields): readonly string[] {
  const repository = textOf(object, 'imageRepository') ?? 'registry.k8s.io';
  const version = scalarOf(object, 'kubernetesVersion');
  const own = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];
  const dns = fieldOf(object, 'dns');
  const etcd = valueAt(object, 'etcd', 'local');
  const parts = [
    { of: dns, name: 'coredns/coredns' },
    { of: etcd, name: 'etcd' },
  ].flatMap(({ of, name }) => {
    const tag = scalarOf(of, 'imageTag');
    return tag === undefined ? [] : [`${textOf(of, 'imageRepository') ?? repository}/${name}:${tag}`];
  });
  return [...(version === undefined ? [] : own.map((name) => `${repository}/${name}:${version}`)), ...parts];
}

function hubImages(object: Fields, names: readonly string[]): readonly string[] {
  const spec = fieldOf(object, 'spec');
  const hub = textOf(spec, 'hub') ?? 'docker.io/istio';
  const tag = scalarOf(spec, 'tag');
  return tag === undefined ? [] : names.map((name) => `${hub}/${name}:${tag}`);
}

function kubeVirtImages(object: Fields): readonly string[] {
  const spec = fieldOf(object, 'spec');
  const registry = textOf(spec, 'imageRegistry');
  const tag = scalarOf(spec, 'imageTag');
  if (registry === undefined || tag === undefined) return [];
  return ['virt-api', 'virt-controller', 'virt-handler', 'virt-launcher'].map((name) => `${registry}/${name}:${tag}`);
}
