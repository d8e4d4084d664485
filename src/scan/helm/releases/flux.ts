// Flux HelmReleases of charts in a directory of a source (fluxcd.io/flux/components/helm/helmreleases). One without a chart patches another of the same name.
import { nearestData, type Wanted } from '../../object-data.ts';
import { directoryInRepository } from '../../tree-paths.ts';
import { type Dictionary, isDictionary } from '../template/values.ts';
import { valueAtPath } from '../values.ts';
import { createLayers, doubtOf, fileInRepository, type Layers } from './layers.ts';
import type { ReadReleases, Release, ReleaseCandidate, ReleaseSurroundings } from './release.ts';

export const fluxReleases: ReadReleases = async (candidate, around) => {
  if (!isHelmRelease(candidate)) return [];
  const chart = chartOf(candidate, around);
  if (chart === undefined) return [];
  const patches = around.patches.get(String(valueAtPath(candidate.value, 'metadata.name'))) ?? [];
  const plain = await releaseOf(chart, [candidate], around);
  if (patches.length === 0) return [plain];
  const patched = await Promise.all(patches.map((patch) => releaseOf(chart, [candidate, patch], around)));
  return [{ ...plain, doubt: plain.doubt ?? `[${patched[0]?.file}] changes its values` }, ...patched];
};

export function isHelmRelease({ value }: ReleaseCandidate): boolean {
  return value.kind === 'HelmRelease' && /^helm\.toolkit\.fluxcd\.io\//.test(String(value.apiVersion));
}

/** HelmReleases without a chart, by name. Each patches the one with a chart. */
export function patchesIn(candidates: readonly ReleaseCandidate[]): ReadonlyMap<string, readonly ReleaseCandidate[]> {
  const bare = candidates.filter((one) => {
    const spec = one.value.spec;
    return isHelmRelease(one) && isDictionary(spec) && spec.chart === undefined && spec.chartRef === undefined;
  });
  return Map.groupBy(bare, ({ value }) => String(valueAtPath(value, 'metadata.name')));
}

/** The ConfigMaps and Secrets from which a HelmRelease takes values. */
export function* sourcesOf({ value }: ReleaseCandidate): Iterable<Wanted & { readonly entry: Dictionary }> {
  const list = valueAtPath(value, 'spec.valuesFrom');
  const namespace = valueAtPath(value, 'metadata.namespace');
  for (const entry of Array.isArray(list) ? list.filter(isDictionary) : []) {
    yield {
      entry,
      kind: String(entry.kind),
      name: String(entry.name),
      namespace: typeof namespace === 'string' ? namespace : undefined,
    };
  }
}

function chartOf(candidate: ReleaseCandidate, around: ReleaseSurroundings): string | undefined {
  const { file, spec } = chartSpecOf(candidate, around) ?? {};
  const chart = spec?.chart;
  // With a HelmRepository, `chart` is a name and not a path.
  const isPath = typeof chart === 'string' && valueAtPath(spec, 'sourceRef.kind') !== 'HelmRepository';
  const directory = isPath && file !== undefined ? directoryInRepository(around.tree, file, chart) : undefined;
  if (directory === undefined && chartNamed(candidate) !== undefined) warnOfElsewhere(candidate, chart, around);
  return directory;
}

/** The chart specification: the release's own, or that of the HelmChart to which it refers. */
function chartSpecOf(
  candidate: ReleaseCandidate,
  around: ReleaseSurroundings,
): { readonly spec: Dictionary; readonly file: string } | undefined {
  const spec = valueAtPath(candidate.value, 'spec.chart.spec');
  if (isDictionary(spec)) return { spec, file: candidate.file };
  const named = chartNamed(candidate);
  const namespace =
    valueAtPath(candidate.value, 'spec.chartRef.namespace') ?? valueAtPath(candidate.value, 'metadata.namespace');
  const charts = named === undefined ? [] : (around.charts.get(named) ?? []);
  const chart = charts.find(({ value }) => {
    const own = valueAtPath(value, 'metadata.namespace');
    return own === undefined || namespace === undefined || own === namespace;
  });
  return chart && isDictionary(chart.value.spec) ? { spec: chart.value.spec, file: chart.file } : undefined;
}

/** The name of the HelmChart to which it refers. */
function chartNamed({ value }: ReleaseCandidate): string | undefined {
  const reference = valueAtPath(value, 'spec.chartRef');
  return isDictionary(reference) && reference.kind === 'HelmChart' ? String(reference.name) : undefined;
}

/** Warns of a chart that is elsewhere, unless the values set images. Then those are found. The rule remote-charts does the same for others. */
function warnOfElsewhere(candidate: ReleaseCandidate, chart: unknown, { warn }: ReleaseSurroundings): void {
  if (/image/i.test(JSON.stringify(valueAtPath(candidate.value, 'spec.values') ?? null))) return;
  const name = typeof chart === 'string' ? chart : chartNamed(candidate);
  warn({
    file: candidate.file,
    line: candidate.line,
    text: `the chart [${name}] is elsewhere: its images are not found`,
  });
}

/** Flux's HelmCharts, by name. */
export function chartsIn(candidates: readonly ReleaseCandidate[]): ReadonlyMap<string, readonly ReleaseCandidate[]> {
  const charts = candidates.filter(
    ({ value }) => value.kind === 'HelmChart' && /^source\.toolkit\.fluxcd\.io\//.test(String(value.apiVersion)),
  );
  return Map.groupBy(charts, ({ value }) => String(valueAtPath(value, 'metadata.name')));
}

async function releaseOf(
  chart: string,
  candidates: readonly ReleaseCandidate[],
  around: ReleaseSurroundings,
): Promise<Release> {
  const layers = createLayers();
  for (const candidate of candidates) await addValues(layers, candidate, around);
  const { file, line } = candidates.at(-1) as ReleaseCandidate;
  return { chart, file, line, values: layers.values, ...doubtOf(layers) };
}

async function addValues(layers: Layers, candidate: ReleaseCandidate, around: ReleaseSurroundings): Promise<void> {
  const { tree, data } = around;
  const { spec, file = candidate.file } = chartSpecOf(candidate, around) ?? {};
  const files = spec ? [spec.valuesFile, ...(Array.isArray(spec.valuesFiles) ? spec.valuesFiles : [])] : [];
  for (const name of files) {
    if (typeof name === 'string') await layers.addFile(tree, fileInRepository(tree, file, name), name);
  }
  for (const { entry, ...wanted } of sourcesOf(candidate)) {
    const key = typeof entry.valuesKey === 'string' ? entry.valuesKey : 'values.yaml';
    const text = nearestData(data, wanted, candidate.file)[0]?.texts.get(key);
    const what = `${wanted.kind}/${wanted.name}`;
    if (text === undefined && entry.optional !== true) layers.missing.push(what);
    if (text === undefined) continue;
    if (typeof entry.targetPath === 'string') layers.set(entry.targetPath, text.trim());
    else layers.addText(text, what);
  }
  layers.add(valueAtPath(candidate.value, 'spec.values'));
}
