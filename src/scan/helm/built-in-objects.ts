// Helm's built-in objects: Values, Chart, Release, Capabilities, Files. Format: helm.sh/docs/chart_template_guide/builtin_objects.
import { compilePattern } from '../patterns.ts';
import { type Dictionary, dictionary, print } from './template/values.ts';
import { writeYaml } from './template/yaml-values.ts';
import type { ValuedChart } from './values.ts';

/** The properties that `helm template` assumes of a cluster. */
export interface Cluster {
  /** For example `v1.34.0`. */
  readonly kubeVersion: string;
}

/** The API groups of a cluster without custom resources. */
const PLAIN_GROUPS =
  /^(?:v1|(?:apps|batch|policy|autoscaling|networking\.k8s\.io|rbac\.authorization\.k8s\.io|storage\.k8s\.io|scheduling\.k8s\.io|coordination\.k8s\.io|discovery\.k8s\.io|events\.k8s\.io|node\.k8s\.io|certificates\.k8s\.io|apiextensions\.k8s\.io|apiregistration\.k8s\.io|admissionregistration\.k8s\.io|authentication\.k8s\.io|authorization\.k8s\.io|flowcontrol\.apiserver\.k8s\.io)\/v1|autoscaling\/v2)(?:\/\w+)?$/;

export function builtInObjects(valued: ValuedChart, cluster: Cluster): Dictionary {
  const { chart } = valued;
  const [, major = '1', minor = '0'] = /^v(\d+)\.(\d+)/.exec(cluster.kubeVersion) ?? [];
  const kubeVersion = dictionary([
    ['Version', cluster.kubeVersion],
    ['GitVersion', cluster.kubeVersion],
    ['Major', major],
    ['Minor', minor],
    ['String', () => cluster.kubeVersion],
  ]);
  return dictionary([
    ['Values', valued.values],
    ['Chart', chartObject(chart.metadata)],
    ['Release', releaseObject()],
    [
      'Capabilities',
      dictionary([
        ['KubeVersion', kubeVersion],
        ['APIVersions', dictionary([['Has', (name: unknown) => PLAIN_GROUPS.test(print(name))]])],
        [
          'HelmVersion',
          dictionary([
            ['Version', 'v3.19.0'],
            ['GoVersion', 'go1.24.0'],
          ]),
        ],
      ]),
    ],
    ['Files', filesObject(chart.files)],
    [
      'Subcharts',
      dictionary(valued.subcharts.map((subchart) => [subchart.chart.name, builtInObjects(subchart, cluster)])),
    ],
  ]);
}

/** The fields of Chart.yaml under their Go names: `appVersion` is `.Chart.AppVersion`. */
function chartObject(metadata: Dictionary): Dictionary {
  const object = dictionary();
  for (const [key, value] of Object.entries(metadata)) {
    const name = key === 'apiVersion' ? 'APIVersion' : `${key[0]?.toUpperCase() ?? ''}${key.slice(1)}`;
    object[name] = typeof value === 'number' ? String(value) : value;
  }
  object.AppVersion ??= '';
  object.Annotations ??= dictionary();
  return object;
}

function releaseObject(): Dictionary {
  return dictionary([
    ['Name', 'release-name'],
    ['Namespace', 'default'],
    ['Service', 'Helm'],
    ['Revision', 1],
    ['IsInstall', true],
    ['IsUpgrade', false],
  ]);
}

function filesObject(files: ReadonlyMap<string, string>): Dictionary {
  const named = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const baseNames = (): readonly (readonly [string, string])[] =>
    named.map(([path, text]) => [path.slice(path.lastIndexOf('/') + 1), text]);
  const object = dictionary(named);
  const methods: readonly (readonly [string, unknown])[] = [
    ['Get', (path: unknown) => files.get(print(path)) ?? ''],
    ['GetBytes', (path: unknown) => files.get(print(path)) ?? ''],
    ['Lines', (path: unknown) => (files.get(print(path)) ?? '').split('\n')],
    ['Glob', (pattern: unknown) => filesObject(new Map(named.filter(([path]) => globTest(print(pattern))(path))))],
    ['AsConfig', () => toYaml(baseNames())],
    ['AsSecrets', () => toYaml(baseNames().map(([name, text]) => [name, Buffer.from(text).toString('base64')]))],
  ];
  for (const [name, method] of methods) Object.defineProperty(object, name, { value: method, enumerable: false });
  return object;
}

function toYaml(entries: readonly (readonly [string, string])[]): string {
  return entries.length === 0 ? '' : writeYaml(Object.fromEntries(entries));
}

/** Compiles a glob like gobwas/glob in Helm: `*` matches within a directory, `**` across directories, `{a,b}` alternatives. */
function globTest(pattern: string): (path: string) => boolean {
  const source = pattern
    .split(/(\*\*|\*|\?|\{[^{}]*\})/)
    .map((part) => {
      if (part === '**') return '.*';
      if (part === '*') return '[^/]*';
      if (part === '?') return '[^/]';
      if (part.startsWith('{'))
        return `(?:${part
          .slice(1, -1)
          .split(',')
          .map((choice) => escaped(choice))
          .join('|')})`;
      return escaped(part);
    })
    .join('');
  return compilePattern(`^${source}$`)?.test ?? (() => false);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
