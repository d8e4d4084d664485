// A chart's directory → what it is made of: metadata, default values, templates, the charts below it. Format: helm.sh/docs/topics/charts.
import { isImagesError } from '../../oci/errors.ts';
import { byBytes } from '../byte-order.ts';
import type { FileTree, Warning } from '../contract.ts';
import { isOnlySchemas } from '../may-matter.ts';
import { isPacked, openChartArchive } from './chart-archive.ts';
import { type Dictionary, dictionary, isDictionary } from './template/values.ts';
import { readDictionary, readYaml } from './template/yaml-values.ts';

export interface Chart {
  /** Where its files are: a packed chart has a tree of its own. */
  readonly tree: FileTree;
  /** Relative to the scanned directory; empty for that directory itself. */
  readonly directory: string;
  /** The name under which the parent gives it values: its alias where it has one. */
  readonly name: string;
  /** As template names begin: `parent/charts/child`. */
  readonly path: string;
  readonly metadata: Dictionary;
  readonly values: Dictionary;
  readonly templates: readonly TemplateFile[];
  /** Texts for `.Files`, by the path in the chart. */
  readonly files: ReadonlyMap<string, string>;
  readonly dependencies: readonly Dependency[];
  readonly subcharts: readonly Subchart[];
  /** Packed charts below it that cannot be read. */
  readonly warnings: readonly Warning[];
}

export interface TemplateFile {
  readonly file: string;
  /** `parent/charts/child/templates/deployment.yaml`. */
  readonly name: string;
  readonly source: string;
}

export interface Subchart {
  readonly chart: Chart;
  /** What Chart.yaml says of it; charts may also just lie in charts/. */
  readonly dependency: Dependency | undefined;
}

export interface Dependency {
  readonly name: string;
  readonly alias: string | undefined;
  readonly repository: string;
  /** Paths in the parent's values; the first that is there decides. */
  readonly conditions: readonly string[];
  readonly tags: readonly string[];
  readonly imports: readonly unknown[];
}

/** Charts deeper than this are an attack or a mistake. */
const MAX_CHARTS_DEEP = 8;
/** Files that templates may read with `.Files`; larger ones hold no manifests. */
const MAX_FILE = 1 << 20;

/** The directories that are charts and lie in no other chart. */
export async function chartDirectories(tree: FileTree): Promise<readonly string[]> {
  const found = new Set<string>();
  const candidates = tree.files.filter((file) => file === 'Chart.yaml' || file.endsWith('/Chart.yaml'));
  for (const file of candidates.sort((a, b) => a.length - b.length)) {
    const directory = file.slice(0, Math.max(0, file.length - '/Chart.yaml'.length));
    if (outerDirectories(directory).some((outer) => found.has(outer))) continue;
    if (typeof readDictionary(await tree.read(file)).name === 'string') found.add(directory);
  }
  return [...found].sort();
}

/** `a/b/c` lies in `a/b`, in `a`, and in the scanned directory. */
function outerDirectories(directory: string): readonly string[] {
  if (directory === '') return [];
  return ['', ...Array.from(directory.matchAll(/\//g), ({ index }) => directory.slice(0, index))];
}

export function inDirectory(directory: string, path: string): string {
  return directory === '' ? path : `${directory}/${path}`;
}

/** Reads a chart and those in its charts/ directory. */
export async function readChart(
  tree: FileTree,
  directory: string,
  as: { readonly name?: string | undefined; readonly parentPath?: string; readonly depth?: number } = {},
): Promise<Chart> {
  const read = async (path: string): Promise<string> => {
    const file = inDirectory(directory, path);
    return tree.has(file) ? tree.read(file) : '';
  };
  const metadata = readDictionary(await read('Chart.yaml'));
  const name = as.name ?? String(metadata.name);
  const path = as.parentPath === undefined ? name : `${as.parentPath}/charts/${name}`;
  const below = filesBelow(tree, directory);
  const templates = await readTemplates(tree, { directory, path, below });
  const dependencies = dependenciesOf(metadata).concat(dependenciesOf(readDictionary(await read('requirements.yaml'))));
  const readsFiles = templates.some(({ source }) => source.includes('.Files'));
  const warnings: Warning[] = [];
  const values = readYaml(await read('values.yaml'));
  if (values === undefined) {
    warnings.push({
      file: inDirectory(directory, 'values.yaml'),
      text: 'does not parse: rendered without the default values',
    });
  }
  return {
    tree,
    directory,
    name,
    path,
    metadata,
    values: isDictionary(values) ? values : dictionary(),
    templates,
    files: readsFiles ? await readFiles(tree, directory, below) : new Map(),
    dependencies,
    subcharts:
      (as.depth ?? 0) < MAX_CHARTS_DEEP
        ? await readSubcharts(tree, { directory, path, below, dependencies, depth: as.depth ?? 0, warnings })
        : [],
    warnings,
  };
}

/** Paths in the chart. */
function filesBelow(tree: FileTree, directory: string): readonly string[] {
  const start = inDirectory(directory, '');
  return filesIn(tree, directory).map((file) => file.slice(start.length));
}

/** The files below a directory: they stand side by side, so a tree of many charts is not searched for each. */
export function filesIn({ files }: FileTree, directory: string): readonly string[] {
  const start = inDirectory(directory, '');
  let low = 0;
  let high = files.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byBytes(files[middle] as string, start) < 0) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (files[end]?.startsWith(start)) end++;
  return files.slice(low, end);
}

async function readTemplates(
  tree: FileTree,
  chart: { readonly directory: string; readonly path: string; readonly below: readonly string[] },
): Promise<readonly TemplateFile[]> {
  const templates: TemplateFile[] = [];
  for (const path of chart.below) {
    if (!path.startsWith('templates/') || !/\.(?:ya?ml|tpl|txt|json)$/.test(path)) continue;
    const file = inDirectory(chart.directory, path);
    const source = await tree.read(file);
    if (!isOnlySchemas(source)) templates.push({ file, name: `${chart.path}/${path}`, source });
  }
  return templates;
}

async function readFiles(
  tree: FileTree,
  directory: string,
  below: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const path of below) {
    if (/^(?:templates|charts|crds)\//.test(path) || /\.(?:tgz|gz|png|svg|jpe?g)$/.test(path)) continue;
    const text = await tree.read(inDirectory(directory, path));
    if (text.length <= MAX_FILE) files.set(path, text);
  }
  return files;
}

async function readSubcharts(
  tree: FileTree,
  parent: {
    readonly directory: string;
    readonly path: string;
    readonly below: readonly string[];
    readonly dependencies: readonly Dependency[];
    readonly depth: number;
    readonly warnings: Warning[];
  },
): Promise<readonly Subchart[]> {
  const subcharts: Subchart[] = [];
  const unpacked = parent.below.flatMap((path) => {
    const folder = /^(charts\/[^/_.][^/]*)\/Chart\.yaml$/.exec(path)?.[1];
    return folder === undefined ? [] : [{ tree, directory: inDirectory(parent.directory, folder) }];
  });
  for (const at of [...unpacked, ...(await packedCharts(tree, parent))]) {
    const own = await chartName(at.tree, at.directory);
    const wanted = parent.dependencies.filter((dependency) => dependency.name === own);
    for (const dependency of wanted.length > 0 ? wanted : [undefined]) {
      const as = { name: dependency?.alias ?? own, parentPath: parent.path, depth: parent.depth + 1 };
      // Unpacked beside its archive: one of them is enough.
      if (subcharts.some(({ chart }) => chart.name === as.name)) continue;
      subcharts.push({ chart: await readChart(at.tree, at.directory, as), dependency });
    }
  }
  for (const dependency of parent.dependencies) {
    const directory = directoryBeside(parent.directory, dependency.repository);
    const isThere = subcharts.some(({ dependency: known }) => known === dependency);
    if (isThere || directory === undefined || !tree.has(inDirectory(directory, 'Chart.yaml'))) continue;
    const name = dependency.alias ?? (await chartName(tree, directory));
    const as = { name, parentPath: parent.path, depth: parent.depth + 1 };
    subcharts.push({ chart: await readChart(tree, directory, as), dependency });
  }
  return subcharts;
}

async function packedCharts(
  tree: FileTree,
  parent: { readonly directory: string; readonly below: readonly string[]; readonly warnings: Warning[] },
): Promise<readonly { readonly tree: FileTree; readonly directory: string }[]> {
  const packed: { readonly tree: FileTree; readonly directory: string }[] = [];
  for (const path of parent.below) {
    if (!/^charts\/[^/]+$/.test(path) || !isPacked(path)) continue;
    const file = inDirectory(parent.directory, path);
    try {
      const opened = await openChartArchive(file, await tree.bytes(file));
      if (opened) packed.push(opened);
    } catch (error) {
      if (!isImagesError(error, 'TAR_INVALID')) throw error;
      parent.warnings.push({ file, text: `the packed chart cannot be read: ${error.message}` });
    }
  }
  return packed;
}

async function chartName(tree: FileTree, directory: string): Promise<string> {
  return String(readDictionary(await tree.read(inDirectory(directory, 'Chart.yaml'))).name);
}

/** `file://../common` seen from the chart: what `helm dependency build` packs into charts/. */
function directoryBeside(directory: string, repository: string): string | undefined {
  if (!repository.startsWith('file://')) return undefined;
  const parts = directory === '' ? [] : directory.split('/');
  for (const part of repository.slice('file://'.length).split('/')) {
    if (part === '..' && parts.pop() === undefined) return undefined;
    if (part !== '..' && part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

function dependenciesOf(metadata: Dictionary): readonly Dependency[] {
  const list = Array.isArray(metadata.dependencies) ? metadata.dependencies.filter(isDictionary) : [];
  return list.map((entry) => ({
    name: String(entry.name),
    alias: typeof entry.alias === 'string' && entry.alias !== '' ? entry.alias : undefined,
    repository: typeof entry.repository === 'string' ? entry.repository : '',
    conditions:
      typeof entry.condition === 'string'
        ? entry.condition
            .split(',')
            .map((path) => path.trim())
            .filter(Boolean)
        : [],
    tags: Array.isArray(entry.tags) ? entry.tags.map(String) : [],
    imports: Array.isArray(entry['import-values']) ? entry['import-values'] : [],
  }));
}
