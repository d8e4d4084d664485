// What one chart deploys: with its own values, with those of each release in the tree, and with values files that lie beside it.
// Rendered images are in use. Images that depend on switched-off values, on tests or on an unknown cluster are maybes with that reason.
import type { DocumentRule, FileTree, Finding, GivenValues, Warning } from '../contract.ts';
import { annotatedImages } from './annotated-images.ts';
import type { Cluster } from './built-in-objects.ts';
import { type Chart, readChart } from './chart.ts';
import { pathIn } from './chart-parts.ts';
import type { ChartReader } from './chart-reader.ts';
import { asMaybe, type FoundInCharts, findInManifests, switchedOffLines } from './find-in-manifests.ts';
import { createImageParts } from './name-parts.ts';
import type { Release } from './releases/release.ts';
import { renderChart } from './render.ts';
import { type Dictionary, dictionary, isDictionary } from './template/values.ts';
import { readYaml } from './template/yaml-values.ts';
import { imagesInValues } from './value-images.ts';
import { mergeOver, switchedOffBy, type ValuedChart, withValues } from './values.ts';

/** The version that Helm assumes if no cluster is asked. */
const NEW_CLUSTER: Cluster = { kubeVersion: 'v1.34.0' };
/** If a chart renders an image for only one of the two versions, the image depends on the cluster. */
const OLD_CLUSTER: Cluster = { kubeVersion: 'v1.25.0' };
/** Maximum number of releases of a chart that are rendered. */
const MAX_RELEASES = 100;
const MAX_VALUES_FILES = 20;
/** Names of values files: `values-prod.yaml`, `values.dev.yaml`, `prod-values.yaml`, `values/prod.yaml`, `ci/test-values.yaml`. */
const VALUES_FILE = /^(?:values[-._][^/]+|[^/]+[-._]values|values\/[^/]+|ci\/[^/]*values[^/]*)\.ya?ml$/;

export interface ChartOptions {
  readonly reader: ChartReader;
  readonly rules: readonly DocumentRule[];
  readonly releases: readonly Release[];
  /** Values that the user gives to all charts. */
  readonly given: GivenValues | undefined;
}

/** Finds the images of a chart. Throws ChartTooCostlyError. */
export async function findInChart(tree: FileTree, directory: string, options: ChartOptions): Promise<FoundInCharts> {
  const { budget } = options.reader;
  const chart = await readChart(options.reader, tree, directory);
  // A library chart is not installed by itself: other charts use its templates.
  if (chart.metadata.type === 'library') return { findings: [], warnings: [] };
  options.given?.onChart();
  const values = (options.given?.values as Dictionary | undefined) ?? dictionary();
  const valued = withValues(chart, values);
  const own = deployed(chart, values, options);
  const releases = options.releases.slice(0, MAX_RELEASES).map((release) => deployedBy(release, chart, options));
  const replacing = options.given ? undefined : releases.find(({ release }) => release.doubt === undefined)?.release;
  const findings = merged(own.findings, releases, replacing);
  const { manifests } = renderChart(chart, NEW_CLUSTER, { budget, explores: true, values });
  const explored = findInManifests(manifests, options.rules);
  const beside = await besideValues(chart, values, options);
  const seen = new Set(findings.map(({ image }) => image));
  // Exploring both sides of `if tag` or `if registry` also produces the name without them.
  const parts = createImageParts(seen);
  const addMaybes = (maybes: Iterable<Finding>): void => {
    for (const finding of maybes) {
      if (seen.has(finding.image) || parts.hasPart(finding.image)) continue;
      seen.add(finding.image);
      parts.add(finding.image);
      findings.push(finding);
    }
  };
  addMaybes(beside.findings);
  addMaybes(explored.findings.map((finding) => asMaybe(finding, finding.reason ?? 'switched off by default')));
  addMaybes(manifests.flatMap((manifest) => [...switchedOffLines(manifest)]));
  addMaybes(await annotatedImages(chart));
  addMaybes(await imagesInValues(valued, seen));
  const isTwin = ({ image, certainty }: Finding): boolean => certainty === 'maybe' && parts.hasPart(image);
  return {
    findings: findings.filter((finding) => !isTwin(finding)),
    warnings: [
      ...(replacing ? [] : own.warnings),
      ...releases.flatMap((one) => one.warnings),
      ...beside.warnings,
      ...leftOut(options.releases),
      ...missingCharts(valued),
    ],
  };
}

function leftOut(releases: readonly Release[]): readonly Warning[] {
  const [first, ...more] = releases.slice(MAX_RELEASES);
  if (!first) return [];
  const text = `so many releases deploy the chart that this and ${more.length} more are not looked at`;
  return [{ file: first.file, line: first.line, text }];
}

/** The images that the releases of a chart deploy, without those of the chart's default values. Throws ChartTooCostlyError. */
export async function findInReleases(tree: FileTree, directory: string, options: ChartOptions): Promise<FoundInCharts> {
  const { reader, releases } = options;
  const chart = await readChart(reader, tree, directory);
  const found = releases.slice(0, MAX_RELEASES).map((release) => deployedBy(release, chart, options));
  return {
    findings: found.flatMap((one) => one.findings),
    warnings: [...found.flatMap((one) => one.warnings), ...leftOut(releases)],
  };
}

/** The images that are rendered with these values over the chart's own. */
function deployed(chart: Chart, values: Dictionary, { rules, reader }: ChartOptions): FoundInCharts {
  const { budget } = reader;
  const rendered = renderChart(chart, NEW_CLUSTER, { budget, values });
  const main = findInManifests(rendered.manifests, rules);
  const warnings = [...rendered.warnings, ...main.warnings];
  if (!asksTheCluster(withValues(chart, values))) return { findings: main.findings, warnings };
  const old = findInManifests(renderChart(chart, OLD_CLUSTER, { budget, values }).manifests, rules);
  return { findings: settledBy(main.findings, old.findings), warnings };
}

function deployedBy(
  release: Release,
  chart: Chart,
  options: ChartOptions,
): FoundInCharts & { readonly release: Release } {
  const { findings, warnings } = deployed(chart, release.values, options);
  const { doubt } = release;
  const sure = doubt === undefined ? findings : findings.map((finding) => asMaybe(finding, doubt));
  return {
    release,
    findings: sure,
    warnings: warnings.map((warning) => ({ ...warning, text: `${warning.text} (as [${release.file}] deploys it)` })),
  };
}

/** If a release deploys the chart with its own values, images that only occur with the default values are not in use. */
function merged(
  own: readonly Finding[],
  releases: readonly FoundInCharts[],
  replacing: Release | undefined,
): Finding[] {
  const others = releases.flatMap(({ findings }) => findings);
  if (!replacing) return [...own, ...others];
  const used = new Set(others.filter(({ certainty }) => certainty === 'used').map(({ image }) => image));
  const reason = `only with the chart's own values, and [${replacing.file}] deploys it with others`;
  return [...own.map((finding) => (used.has(finding.image) ? finding : asMaybe(finding, reason))), ...others];
}

/** Values files beside the chart that no release refers to. It is unknown whether they are in use, so all findings are maybes. */
async function besideValues(chart: Chart, given: Dictionary, { rules, reader }: ChartOptions): Promise<FoundInCharts> {
  const start = pathIn(chart.directory, '');
  const files = chart.tree.files.filter((file) => file.startsWith(start) && VALUES_FILE.test(file.slice(start.length)));
  const findings: Finding[] = [];
  const warnings: Warning[] = [];
  for (const file of files.slice(0, MAX_VALUES_FILES)) {
    const read = readYaml(await chart.tree.read(file));
    if (!isDictionary(read)) continue;
    const rendered = renderChart(chart, NEW_CLUSTER, { budget: reader.budget, values: mergeOver(read, given) });
    for (const finding of findInManifests(rendered.manifests, rules).findings)
      findings.push({ ...finding, certainty: 'maybe', reason: `only with [${file}]` });
  }
  const left = files.slice(MAX_VALUES_FILES);
  if (left[0])
    warnings.push({
      file: left[0],
      text: `so many files of values lie beside the chart that this and ${left.length - 1} more are not looked at`,
    });
  return { findings, warnings };
}

function asksTheCluster(valued: ValuedChart): boolean {
  return (
    valued.chart.templates.some(
      ({ source }) => source.includes('.Capabilities') || source.includes('common.capabilities.'),
    ) || valued.subcharts.some(asksTheCluster)
  );
}

/** Findings for both Kubernetes versions are certain; the others are maybes. */
function settledBy(onNew: readonly Finding[], onOld: readonly Finding[]): readonly Finding[] {
  const reason = 'depends on the Kubernetes version';
  const newer = new Set(onNew.map(({ image }) => image));
  const older = new Set(onOld.map(({ image }) => image));
  return [
    ...onNew.map((finding) => (older.has(finding.image) ? finding : asMaybe(finding, reason))),
    ...onOld.filter(({ image }) => !newer.has(image)).map((finding) => asMaybe(finding, reason)),
  ];
}

/** Warnings for charts that are enabled by default but missing: their images are not found. */
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
      file: pathIn(chart.directory, 'Chart.yaml'),
      text: `the chart [${dependency.name}] of ${dependency.repository || 'its dependencies'} is not in charts/: its images are not found`,
    };
  }
  for (const subchart of valued.subcharts) yield* missingCharts(subchart);
}

/** Names of library charts, which contain no images. */
function isCommon(name: string): boolean {
  return name === 'common' || name.endsWith('-common') || name === 'library' || name.endsWith('-lib');
}
