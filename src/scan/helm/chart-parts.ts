// The content of a chart's own directory: metadata, default values, templates. Format: helm.sh/docs/topics/charts.
import { byBytes } from '../byte-order.ts';
import type { FileTree } from '../contract.ts';
import type { Clues } from '../may-matter.ts';
import { type Dictionary, dictionary, isDictionary } from './template/values.ts';
import { readDictionary, readYaml } from './template/yaml-values.ts';

/** The same for all charts that include this one, whatever name they give it. */
export interface ChartParts {
  readonly metadata: Dictionary;
  readonly values: Dictionary;
  /** The values file does not parse. */
  readonly isBroken: boolean;
  readonly templates: readonly { readonly path: string; readonly source: string }[];
  /** Texts for `.Files`, by the path in the chart. */
  readonly files: ReadonlyMap<string, string>;
  readonly dependencies: readonly Dependency[];
  /** Paths in the chart, of all files below its directory. */
  readonly below: readonly string[];
  /** Number of characters read. */
  readonly size: number;
}

export interface Dependency {
  readonly name: string;
  readonly alias: string | undefined;
  readonly repository: string;
  /** Paths in the parent's values. The first one that is set decides. */
  readonly conditions: readonly string[];
  readonly tags: readonly string[];
  readonly imports: readonly unknown[];
}

/** Maximum size of files that templates may read with `.Files`. Larger ones do not contain manifests. */
const MAX_FILE = 1 << 20;

/** The directories of charts that lie in no other chart. */
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

/** The parent directories: `a/b`, `a` and the scanned directory for `a/b/c`. */
function outerDirectories(directory: string): readonly string[] {
  if (directory === '') return [];
  return ['', ...Array.from(directory.matchAll(/\//g), ({ index }) => directory.slice(0, index))];
}

export function pathIn(directory: string, path: string): string {
  return directory === '' ? path : `${directory}/${path}`;
}

/** Templates in which no rule finds anything (`isOnlySchemas`) are left out. */
export async function readParts(tree: FileTree, directory: string, { isOnlySchemas }: Clues): Promise<ChartParts> {
  let size = 0;
  const read = async (path: string): Promise<string> => {
    const file = pathIn(directory, path);
    const text = tree.has(file) ? await tree.read(file) : '';
    size += text.length;
    return text;
  };
  const metadata = readDictionary(await read('Chart.yaml'));
  const below = filesBelow(tree, directory);
  const templates: { readonly path: string; readonly source: string }[] = [];
  for (const path of below) {
    if (!path.startsWith('templates/') || !/\.(?:ya?ml|tpl|txt|json)$/.test(path)) continue;
    const source = await read(path);
    if (!isOnlySchemas(source)) templates.push({ path, source });
  }
  const files = new Map<string, string>();
  for (const path of templates.some(({ source }) => source.includes('.Files')) ? below : []) {
    if (/^(?:templates|charts|crds)\//.test(path) || /\.(?:tgz|gz|png|svg|jpe?g)$/.test(path)) continue;
    const text = await read(path);
    if (text.length <= MAX_FILE) files.set(path, text);
  }
  const values = readYaml(await read('values.yaml'));
  return {
    metadata,
    values: isDictionary(values) ? values : dictionary(),
    isBroken: values === undefined,
    templates,
    files,
    dependencies: dependenciesOf(metadata).concat(dependenciesOf(readDictionary(await read('requirements.yaml')))),
    below,
    size,
  };
}

/** The files below the directory, as paths in the chart. */
function filesBelow(tree: FileTree, directory: string): readonly string[] {
  const start = pathIn(directory, '');
  return filesIn(tree, directory).map((file) => file.slice(start.length));
}

/** The files below a directory. They are adjacent in the sorted list, so a tree with many charts is not searched for each chart. */
export function filesIn({ files }: FileTree, directory: string): readonly string[] {
  const start = pathIn(directory, '');
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
