// HelmCharts of k3s and RKE2 whose chart lies in the tree, and the HelmChartConfigs that change them (docs.k3s.io/add-ons/helm).
import { directoryInRepository, resolveIn } from '../../tree-paths.ts';
import { isDictionary } from '../template/values.ts';
import { valueAtPath } from '../values.ts';
import { createLayers, doubtOf } from './layers.ts';
import type { ReadReleases, ReleaseCandidate, ReleaseSurroundings } from './release.ts';

export const k3sReleases: ReadReleases = async (candidate, around) => {
  const { value, file, line } = candidate;
  const spec = value.spec;
  if (!isOf(candidate, 'HelmChart') || !isDictionary(spec)) return [];
  const packed = contentOf(candidate);
  const chart = packed ? `${file}:${line} chartContent` : chartOf(candidate, around);
  if (chart === undefined) return [];
  const layers = createLayers();
  for (const { value: one } of [candidate, ...(around.configs.get(nameOf(candidate)) ?? [])]) {
    const content = valueAtPath(one, 'spec.valuesContent');
    if (typeof content === 'string') layers.addText(content, 'valuesContent');
    layers.add(valueAtPath(one, 'spec.values'));
  }
  for (const [name, set] of Object.entries(isDictionary(spec.set) ? spec.set : {})) layers.set(name, set);
  return [{ chart, ...(packed && { packed }), file, line, values: layers.values, ...doubtOf(layers) }];
};

/** HelmChartConfigs, by the name of the chart that they change. */
export function configsIn(candidates: readonly ReleaseCandidate[]): ReadonlyMap<string, readonly ReleaseCandidate[]> {
  return Map.groupBy(
    candidates.filter((one) => isOf(one, 'HelmChartConfig')),
    nameOf,
  );
}

function isOf({ value }: ReleaseCandidate, kind: string): boolean {
  return value.kind === kind && /^helm\.cattle\.io\//.test(String(value.apiVersion));
}

function nameOf({ value }: ReleaseCandidate): string {
  return String(valueAtPath(value, 'metadata.name'));
}

/** A packed chart in base64, inside the object. If there is one, `chart` is ignored. */
function contentOf({ value }: ReleaseCandidate): Uint8Array | undefined {
  const content = valueAtPath(value, 'spec.chartContent');
  return typeof content === 'string' && content !== '' ? Buffer.from(content, 'base64') : undefined;
}

/** A packed chart that the server serves, `https://%{KUBERNETES_API}%/static/charts/x-1.0.0.tgz`, or a path. */
function chartOf({ value, file }: ReleaseCandidate, { tree }: ReleaseSurroundings): string | undefined {
  const chart = valueAtPath(value, 'spec.chart');
  if (typeof chart !== 'string' || valueAtPath(value, 'spec.repo') !== undefined) return undefined;
  const packed = /\/static\/charts\/([^/]+\.tgz)$/.exec(chart)?.[1];
  if (packed !== undefined) return tree.files.find((name) => name === packed || name.endsWith(`/${packed}`));
  if (/:\/\//.test(chart)) return undefined;
  const beside = resolveIn(file.slice(0, Math.max(0, file.lastIndexOf('/'))), chart);
  if (beside !== undefined && (tree.has(`${beside}/Chart.yaml`) || (beside.endsWith('.tgz') && tree.has(beside))))
    return beside;
  return directoryInRepository(tree, file, chart);
}
