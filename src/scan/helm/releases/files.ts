// Files that deploy charts which lie beside them: kustomizations (`helmCharts:`), helmfiles, and Rancher Fleet's fleet.yaml.
import { resolveIn } from '../../tree-paths.ts';
import { isDictionary } from '../template/values.ts';
import { valueAtPath } from '../values.ts';
import { isHelmfile } from './helmfile-template.ts';
import { createLayers, doubtOf, type Layers } from './layers.ts';
import type { ReadReleases, Release, ReleaseCandidate } from './release.ts';

function directoryOf(file: string): string {
  return file.slice(0, Math.max(0, file.lastIndexOf('/')));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function released({ file, line, doubt }: ReleaseCandidate, chart: string, layers: Layers): Release {
  return { chart, file, line, values: layers.values, ...(doubt !== undefined && { doubt }), ...doubtOf(layers) };
}

/** kubectl.docs.kubernetes.io/references/kustomize/builtins, "HelmChartInflationGenerator". */
export const kustomizeReleases: ReadReleases = async (candidate, { tree }) => {
  const { file, value } = candidate;
  const directory = directoryOf(file);
  const home = valueAtPath(value, 'helmGlobals.chartHome');
  const releases: Release[] = [];
  for (const entry of [...listOf(value.helmCharts), ...listOf(value.helmChartInflationGenerator)].filter(
    isDictionary,
  )) {
    const name = String(entry.name ?? entry.chartName ?? '');
    const chart = resolveIn(directory, `${typeof home === 'string' ? home : 'charts'}/${name}`);
    if (chart === undefined || !tree.has(`${chart}/Chart.yaml`)) continue;
    const layers = createLayers();
    for (const path of [entry.valuesFile ?? entry.values, ...listOf(entry.additionalValuesFiles)]) {
      if (typeof path === 'string') await layers.addFile(tree, resolveIn(directory, path), path);
    }
    layers.add(entry.valuesInline);
    releases.push(released(candidate, chart, layers));
  }
  return releases;
};

/** helmfile.readthedocs.io, "Configuration". */
export const helmfileReleases: ReadReleases = async (candidate, { tree }) => {
  const { file, value } = candidate;
  if (!isHelmfile(file)) return [];
  const directory = directoryOf(file);
  const releases: Release[] = [];
  for (const entry of listOf(value.releases).filter(isDictionary)) {
    const chart =
      typeof entry.chart === 'string' && /^\.{1,2}\//.test(entry.chart) ? resolveIn(directory, entry.chart) : undefined;
    if (chart === undefined || entry.installed === false || !tree.has(`${chart}/Chart.yaml`)) continue;
    const layers = createLayers();
    for (const values of listOf(entry.values)) {
      if (typeof values === 'string')
        await layers.addFile(tree, values.endsWith('.gotmpl') ? undefined : resolveIn(directory, values), values);
      else layers.add(values);
    }
    for (const { name, value: set } of listOf(entry.set).filter(isDictionary)) {
      if (typeof name === 'string') layers.set(name, set);
    }
    releases.push(released(candidate, chart, layers));
  }
  return releases;
};

/** Format: fleet.rancher.io/ref-fleet-yaml. Without `chart`, the chart lies in the same directory. */
export const fleetReleases: ReadReleases = async (candidate, { tree }) => {
  const { file, value } = candidate;
  if (!/(?:^|\/)fleet\.ya?ml$/.test(file) || !isDictionary(value.helm)) return [];
  const { chart: named, repo, values, valuesFiles } = value.helm;
  const directory = directoryOf(file);
  const chart = repo === undefined ? resolveIn(directory, typeof named === 'string' ? named : '.') : undefined;
  if (chart === undefined || !tree.has(chart === '' ? 'Chart.yaml' : `${chart}/Chart.yaml`)) return [];
  const layers = createLayers();
  for (const path of listOf(valuesFiles)) await layers.addFile(tree, resolveIn(directory, String(path)), String(path));
  layers.add(values);
  return [released(candidate, chart, layers)];
};
