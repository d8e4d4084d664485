// The rule for Helm charts: renders a chart with its default values and hands the manifests to the document rules.
// What is rendered is in use; what default values, tests or an unknown cluster keep out is a maybe with that reason.

import { isImagesError } from '../../oci/errors.ts';
import { addAll } from '../add-all.ts';
import type { DocumentRule, FileTree, Finding, TreeRule, Warning } from '../contract.ts';
import { annotatedImages } from './annotated-images.ts';
import type { Cluster } from './built-in-objects.ts';
import { chartDirectories, filesIn, inDirectory, readChart } from './chart.ts';
import { isPacked, openChartArchive } from './chart-archive.ts';
import { asMaybe, type FoundInCharts, findInManifests, switchedOffLines } from './find-in-manifests.ts';
import { createImageParts } from './name-parts.ts';
import { renderChart } from './render.ts';
import { imagesInValues } from './value-images.ts';
import { switchedOffBy, type ValuedChart, withValues } from './values.ts';

/** What Helm supposes of a cluster that it does not ask. */
const NEW_CLUSTER: Cluster = { kubeVersion: 'v1.34.0' };
/** What a chart only has on one of the two depends on the cluster. */
const OLD_CLUSTER: Cluster = { kubeVersion: 'v1.25.0' };

/** Makes the rule; `documentRules` look at the rendered manifests. */
export function helmCharts(documentRules: readonly DocumentRule[]): TreeRule {
  return {
    name: 'helm',
    find: async (tree) => {
      const findings: Finding[] = [];
      const warnings: Warning[] = [];
      const claimed = new Set<string>();
      for (const directory of await chartDirectories(tree)) {
        for (const file of filesIn(tree, directory)) claimed.add(file);
        const found = await findInChart(tree, directory, documentRules);
        addAll(findings, found.findings);
        addAll(warnings, found.warnings);
      }
      const repositories = await repositoriesIn(tree);
      for (const file of tree.files) {
        if (!isPacked(file) || claimed.has(file) || repositories.has(directoryOf(file))) continue;
        const found = await findInArchive(tree, file, documentRules);
        addAll(findings, found.findings);
        addAll(warnings, found.warnings);
      }
      return { findings, warnings, claimed };
    },
  };
}

/** An archive that lies about on its own; what is no chart is none of ours. */
async function findInArchive(tree: FileTree, file: string, rules: readonly DocumentRule[]): Promise<FoundInCharts> {
  try {
    const packed = await openChartArchive(tree, file);
    if (packed) return await findInChart(packed.tree, packed.directory, rules);
  } catch (error) {
    if (!isImagesError(error, 'TAR_INVALID')) throw error;
  }
  return { findings: [], warnings: [] };
}

/** Directories of chart repositories (helm.sh/docs/topics/chart_repository): all versions of charts for others to choose from, in use by nobody. */
async function repositoriesIn(tree: FileTree): Promise<ReadonlySet<string>> {
  const indexes: string[] = [];
  const directories = [...new Set(tree.files.filter(isPacked).map(directoryOf))];
  if (directories.length === 0) return new Set();
  for (const file of tree.files) {
    if (/(?:^|\/)index\.yaml$/.test(file) && /^entries:/m.test(await tree.read(file))) indexes.push(directoryOf(file));
  }
  // The index may lie above the archives.
  const isListed = (directory: string) =>
    indexes.some((at) => at === directory || directory.startsWith(inDirectory(at, '')));
  return new Set(directories.filter(isListed));
}

function directoryOf(file: string): string {
  return file.slice(0, Math.max(0, file.lastIndexOf('/')));
}

async function findInChart(tree: FileTree, directory: string, rules: readonly DocumentRule[]): Promise<FoundInCharts> {
  const chart = await readChart(tree, directory);
  // A library chart is installed by nobody: other charts bring its templates to life.
  if (chart.metadata.type === 'library') return { findings: [], warnings: [] };
  const valued = withValues(chart);
  const rendered = renderChart(chart, NEW_CLUSTER);
  const main = findInManifests(rendered.manifests, rules);
  const settled = asksTheCluster(valued)
    ? settledBy(main.findings, findInManifests(renderChart(chart, OLD_CLUSTER).manifests, rules).findings)
    : main.findings;
  const { manifests } = renderChart(chart, NEW_CLUSTER, { explores: true });
  const explored = { ...findInManifests(manifests, rules), manifests };
  const findings = [...settled];
  const seen = new Set(findings.map(({ image }) => image));
  // Exploring both sides of `if tag` or `if registry` also makes the name without it.
  const parts = createImageParts(seen);
  const addMaybes = (maybes: Iterable<Finding>): void => {
    for (const finding of maybes) {
      if (seen.has(finding.image) || parts.hasPart(finding.image)) continue;
      seen.add(finding.image);
      parts.add(finding.image);
      findings.push(finding);
    }
  };
  addMaybes(explored.findings.map((finding) => asMaybe(finding, finding.reason ?? 'switched off by default')));
  addMaybes(explored.manifests.flatMap((manifest) => [...switchedOffLines(manifest)]));
  addMaybes(await annotatedImages(chart));
  addMaybes(await imagesInValues(valued, seen));
  const isTwin = ({ image, certainty }: Finding): boolean => certainty === 'maybe' && parts.hasPart(image);
  return {
    findings: findings.filter((finding) => !isTwin(finding)),
    warnings: [...rendered.warnings, ...main.warnings, ...missingCharts(valued)],
  };
}

function asksTheCluster(valued: ValuedChart): boolean {
  return (
    valued.chart.templates.some(
      ({ source }) => source.includes('.Capabilities') || source.includes('common.capabilities.'),
    ) || valued.subcharts.some(asksTheCluster)
  );
}

/** What both clusters get is sure. */
function settledBy(onNew: readonly Finding[], onOld: readonly Finding[]): readonly Finding[] {
  const reason = 'depends on the Kubernetes version';
  const newer = new Set(onNew.map(({ image }) => image));
  const older = new Set(onOld.map(({ image }) => image));
  return [
    ...onNew.map((finding) => (older.has(finding.image) ? finding : asMaybe(finding, reason))),
    ...onOld.filter(({ image }) => !newer.has(image)).map((finding) => asMaybe(finding, reason)),
  ];
}

/** Charts that are meant to be there by default and are not: their images are not found. */
function* missingCharts(valued: ValuedChart): Iterable<Warning> {
  const { chart, values } = valued;
  if (valued.off !== undefined) return;
  yield* chart.warnings;
  const tags = values.tags;
  for (const dependency of chart.dependencies) {
    const name = dependency.alias ?? dependency.name;
    if (chart.subcharts.some((subchart) => subchart.chart.name === name) || isCommon(dependency.name)) continue;
    if (
      switchedOffBy(dependency, {
        values,
        tags: typeof tags === 'object' && tags ? (tags as Record<string, unknown>) : {},
      })
    )
      continue;
    yield {
      file: inDirectory(chart.directory, 'Chart.yaml'),
      text: `the chart [${dependency.name}] of ${dependency.repository || 'its dependencies'} is not in charts/: its images are not found`,
    };
  }
  for (const subchart of valued.subcharts) yield* missingCharts(subchart);
}

/** Library charts have no images. */
function isCommon(name: string): boolean {
  return name === 'common' || name.endsWith('-common') || name === 'library' || name.endsWith('-lib');
}
