// A chart with all its subcharts, each under its own name. Format: helm.sh/docs/topics/charts. Relies on chart-reader.ts.
import { isImagesError } from '../../oci/errors.ts';
import type { FileTree, Warning } from '../contract.ts';
import { isPacked, type PackedChart } from './chart-archive.ts';
import { COST } from './chart-budget.ts';
import { type Dependency, pathIn } from './chart-parts.ts';
import type { ChartReader } from './chart-reader.ts';
import type { Dictionary } from './template/values.ts';

export interface Chart {
  /** The tree that contains its files. A packed chart has its own tree. */
  readonly tree: FileTree;
  /** Relative to the scanned directory; empty for the scanned directory itself. */
  readonly directory: string;
  /** The name under which the parent gives it values: the alias, if there is one. */
  readonly name: string;
  /** The prefix of template names: `parent/charts/child`. */
  readonly path: string;
  readonly metadata: Dictionary;
  readonly values: Dictionary;
  readonly templates: readonly TemplateFile[];
  /** Texts for `.Files`, by the path in the chart. */
  readonly files: ReadonlyMap<string, string>;
  readonly dependencies: readonly Dependency[];
  readonly subcharts: readonly Subchart[];
  /** Warnings for packed subcharts that cannot be read. */
  readonly warnings: readonly Warning[];
}

export interface TemplateFile {
  readonly file: string;
  /** For example `parent/charts/child/templates/deployment.yaml`. */
  readonly name: string;
  readonly source: string;
}

export interface Subchart {
  readonly chart: Chart;
  /** The entry in Chart.yaml. `undefined` for a chart that lies in charts/ without an entry. */
  readonly dependency: Dependency | undefined;
}

/** Deeper nesting of charts is an attack or a mistake. */
const MAX_CHARTS_DEEP = 8;
/** Reads a chart and its subcharts. Throws ChartTooCostlyError. */
export async function readChart(
  reader: ChartReader,
  tree: FileTree,
  directory: string,
  as: { readonly name?: string | undefined; readonly parentPath?: string; readonly depth?: number } = {},
): Promise<Chart> {
  reader.budget.spendChart();
  const parts = await reader.parts(tree, directory);
  const { metadata, values, files, dependencies, below } = parts;
  const name = as.name ?? String(metadata.name);
  const path = as.parentPath === undefined ? name : `${as.parentPath}/charts/${name}`;
  reader.budget.spend(parts.templates.length * COST.file);
  const templates = parts.templates.map((template) => ({
    file: pathIn(directory, template.path),
    name: `${path}/${template.path}`,
    source: template.source,
  }));
  const warnings: Warning[] = [];
  const warn = (file: string, text: string): void => {
    warnings.push({ file: pathIn(directory, file), text });
  };
  if (parts.isBroken) warn('values.yaml', 'does not parse: rendered without the default values');
  const depth = as.depth ?? 0;
  const subcharts = await readSubcharts(reader, tree, { directory, path, below, dependencies, depth, warn });
  return { tree, directory, name, path, metadata, values, templates, files, dependencies, subcharts, warnings };
}

interface Parent {
  readonly directory: string;
  readonly path: string;
  readonly below: readonly string[];
  readonly dependencies: readonly Dependency[];
  readonly depth: number;
  /** `file` is relative to the chart's directory. */
  readonly warn: (file: string, text: string) => void;
}

async function readSubcharts(reader: ChartReader, tree: FileTree, parent: Parent): Promise<readonly Subchart[]> {
  const subcharts: Subchart[] = [];
  const unpacked = parent.below.flatMap((path) => {
    const folder = /^(charts\/[^/_.][^/]*)\/Chart\.yaml$/.exec(path)?.[1];
    return folder === undefined ? [] : [{ tree, directory: pathIn(parent.directory, folder) }];
  });
  const packed = parent.below.filter((path) => /^charts\/[^/]+$/.test(path) && isPacked(path));
  const beside = parent.dependencies.flatMap((dependency) => {
    const directory = directoryBeside(parent.directory, dependency.repository);
    return directory !== undefined && tree.has(pathIn(directory, 'Chart.yaml')) ? [{ dependency, directory }] : [];
  });
  if (parent.depth >= MAX_CHARTS_DEEP) {
    if (unpacked.length + packed.length + beside.length > 0)
      parent.warn(
        'Chart.yaml',
        `the charts below it are more than ${MAX_CHARTS_DEEP} deep: their images are not found`,
      );
    return [];
  }
  const depth = parent.depth + 1;
  const names = new Set<string>();
  for (const at of [...unpacked, ...(await packedCharts(reader, tree, { ...parent, packed }))]) {
    const own = await chartName(reader, at.tree, at.directory);
    const wanted = parent.dependencies.filter((dependency) => dependency.name === own);
    for (const dependency of wanted.length > 0 ? wanted : [undefined]) {
      const as = { name: dependency?.alias ?? own, parentPath: parent.path, depth };
      // A chart may lie in charts/ both packed and unpacked: only one of them counts.
      if (names.has(as.name)) continue;
      names.add(as.name);
      subcharts.push({ chart: await readChart(reader, at.tree, at.directory, as), dependency });
    }
  }
  const known = new Set(subcharts.map(({ dependency }) => dependency));
  for (const { dependency, directory } of beside) {
    if (known.has(dependency)) continue;
    const name = dependency.alias ?? (await chartName(reader, tree, directory));
    const as = { name, parentPath: parent.path, depth };
    subcharts.push({ chart: await readChart(reader, tree, directory, as), dependency });
  }
  return subcharts;
}

async function packedCharts(
  reader: ChartReader,
  tree: FileTree,
  { directory, packed, warn }: Parent & { readonly packed: readonly string[] },
): Promise<readonly PackedChart[]> {
  const charts: PackedChart[] = [];
  for (const path of packed) {
    try {
      const opened = await reader.open(tree, pathIn(directory, path));
      if (opened && 'problem' in opened) warn(path, `the packed chart cannot be read: ${opened.problem}`);
      else if (opened) charts.push(opened);
    } catch (error) {
      if (!isImagesError(error, 'TAR_INVALID')) throw error;
      warn(path, `the packed chart cannot be read: ${error.message}`);
    }
  }
  return charts;
}

async function chartName(reader: ChartReader, tree: FileTree, directory: string): Promise<string> {
  return String((await reader.parts(tree, directory)).metadata.name);
}

/** Resolves a repository such as `file://../common`, which `helm dependency build` packs into charts/. */
function directoryBeside(directory: string, repository: string): string | undefined {
  if (!repository.startsWith('file://')) return undefined;
  const parts = directory === '' ? [] : directory.split('/');
  for (const part of repository.slice('file://'.length).split('/')) {
    if (part === '..' && parts.pop() === undefined) return undefined;
    if (part !== '..' && part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}
