// The rule for Helm charts: unpacked and packed ones, and the releases that deploy them. Relies on find-in-chart.ts.
import { addAll } from '../../oci/add-all.ts';
import { isImagesError } from '../../oci/errors.ts';
import type { DocumentRule, FileTree, Finding, TreeFindings, TreeRule, Warning } from '../contract.ts';
import { isManifestFile } from '../file-tree.ts';
import { withPatterns } from '../patterns.ts';
import { isPacked } from './chart-archive.ts';
import type { ChartLimits } from './chart-budget.ts';
import { chartDirectories, filesIn, pathIn } from './chart-parts.ts';
import { createChartReader } from './chart-reader.ts';
import { type ChartOptions, findInChart, findInReleases } from './find-in-chart.ts';
import { type FoundInCharts, findInManifests } from './find-in-manifests.ts';
import { isHelmfile } from './releases/helmfile-template.ts';
import type { Release } from './releases/release.ts';
import type { RenderedManifest } from './render.ts';
import type { WorkBudget } from './template/work.ts';

type ReleasesByChart = ReadonlyMap<string, readonly Release[]>;

/** Makes the rule. `documentRules` run on the rendered manifests. */
export function helmCharts(documentRules: readonly DocumentRule[], limits?: ChartLimits): TreeRule {
  return {
    name: 'helm',
    find: async (tree, given) => {
      const look = createLook(tree, documentRules, limits);
      const directories = await chartDirectories(tree);
      const releases: ReleasesByChart = (await mayDeploy(tree, directories)) ? await releasesOf(tree, look) : new Map();
      for (const directory of directories) {
        for (const file of filesIn(tree, directory)) look.claimed.add(file);
        await look.intoDirectory(directory, { releases: releases.get(directory) ?? [], given });
      }
      for (const [directory, deployed] of releases) {
        // A subchart that is also deployed on its own.
        if (!directories.includes(directory) && tree.has(pathIn(directory, 'Chart.yaml')))
          await look.intoReleases(directory, deployed);
      }
      const repositories = await repositoriesIn(tree);
      for (const file of tree.files) {
        if (!isPacked(file) || look.claimed.has(file) || repositories.has(directoryOf(file))) continue;
        await look.intoArchive(file, { releases: releases.get(file) ?? [], given });
      }
      for (const release of [...releases.values()].flat()) {
        if (release.packed) await look.intoArchive(release.file, { releases: [release], given });
      }
      return look.finish();
    },
    findNamed: async (tree, file, given) => {
      if (file !== 'Chart.yaml' || !(await chartDirectories(tree)).includes('')) return undefined;
      const look = createLook(tree, documentRules, limits);
      await look.intoDirectory('', { releases: [], given });
      return look.finish();
    },
  };
}

type LookOptions = Pick<ChartOptions, 'releases' | 'given'>;

interface Look {
  readonly claimed: Set<string>;
  readonly warn: (warning: Warning) => void;
  /** Called with the output of a template file (a helmfile), which replaces the file. */
  readonly rendered: (manifest: RenderedManifest) => void;
  readonly budget: WorkBudget;
  intoDirectory(directory: string, options: LookOptions): Promise<void>;
  /** Finds only what releases deploy. */
  intoReleases(directory: string, releases: readonly Release[]): Promise<void>;
  /** Finds the images of an archive: a file of the tree, or the packed chart that the only release contains. */
  intoArchive(file: string, options: LookOptions): Promise<void>;
  finish(): TreeFindings;
}

function createLook(tree: FileTree, rules: readonly DocumentRule[], limits: ChartLimits | undefined): Look {
  const reader = createChartReader(rules, limits);
  const findings: Finding[] = [];
  const warnings: Warning[] = [];
  const claimed = new Set<string>();
  const look = async (file: string, run: () => Promise<FoundInCharts>): Promise<void> => {
    const found = await reader.look(file, run);
    addAll(findings, found?.findings ?? []);
    addAll(warnings, found?.warnings ?? []);
  };
  return {
    claimed,
    warn: (warning) => warnings.push(warning),
    rendered: (manifest) => {
      claimed.add(manifest.file);
      const found = findInManifests([manifest], rules);
      addAll(findings, found.findings);
      addAll(warnings, found.warnings);
    },
    budget: reader.budget,
    intoDirectory: (directory, options) =>
      look(pathIn(directory, 'Chart.yaml'), () => findInChart(tree, directory, { rules, reader, ...options })),
    intoReleases: (directory, releases) =>
      look(pathIn(directory, 'Chart.yaml'), () =>
        findInReleases(tree, directory, { rules, reader, releases, given: undefined }),
      ),
    intoArchive: (file, options) => look(file, () => findInArchive(tree, file, { rules, reader, ...options })),
    finish: () => ({ findings, warnings: [...warnings, ...reader.budget.warnings()], claimed }),
  };
}

/** Whether the tree may contain or deploy a chart. An object of k3s may contain one, and Flux's objects may refer to one that is elsewhere. */
async function mayDeploy(tree: FileTree, directories: readonly string[]): Promise<boolean> {
  if (directories.length > 0 || tree.files.some((file) => isPacked(file) || isHelmfile(file))) return true;
  for (const file of tree.files) {
    if (!isManifestFile(file)) continue;
    const { buffer, byteOffset, byteLength } = await tree.bytes(file);
    const text = Buffer.from(buffer, byteOffset, byteLength);
    if (text.includes('chartContent') || text.includes('chartRef')) return true;
  }
  return false;
}

/** The search for releases is loaded lazily: few trees have charts. */
async function releasesOf(tree: FileTree, look: Look): Promise<ReleasesByChart> {
  const { releasesIn } = await import('./releases/releases.ts');
  return await withPatterns(() => releasesIn(tree, look));
}

/** Finds the images of a packed chart. In an object, an archive that is not a chart gives a warning; as a file of the tree it is ignored. */
async function findInArchive(tree: FileTree, file: string, options: ChartOptions): Promise<FoundInCharts> {
  const [release] = options.releases;
  const bytes = release?.packed;
  const line = bytes && release ? { line: release.line } : {};
  const warned = (text: string): FoundInCharts => ({ findings: [], warnings: [{ file, ...line, text }] });
  try {
    const chart = await (bytes ? options.reader.openBytes(file, bytes) : options.reader.open(tree, file));
    if (chart && 'tree' in chart) return await findInChart(chart.tree, chart.directory, options);
    if (chart?.isChart || (chart && bytes)) return warned(`the packed chart cannot be read: ${chart.problem}`);
    if (bytes) return warned('what stands in [chartContent] is no chart');
  } catch (error) {
    if (!isImagesError(error, 'TAR_INVALID')) throw error;
    if (bytes) return warned(`what stands in [chartContent] cannot be read: ${error.message}`);
  }
  return { findings: [], warnings: [] };
}

/** Directories of chart repositories (helm.sh/docs/topics/chart_repository). They offer all versions of charts; being offered does not put a chart in use. */
async function repositoriesIn(tree: FileTree): Promise<ReadonlySet<string>> {
  const indexes: string[] = [];
  const directories = [...new Set(tree.files.filter(isPacked).map(directoryOf))];
  if (directories.length === 0) return new Set();
  for (const file of tree.files) {
    if (/(?:^|\/)index\.yaml$/.test(file) && /^entries:/m.test(await tree.read(file))) indexes.push(directoryOf(file));
  }
  // The index may lie above the archives.
  const isListed = (directory: string) =>
    indexes.some((at) => at === directory || directory.startsWith(pathIn(at, '')));
  return new Set(directories.filter(isListed));
}

function directoryOf(file: string): string {
  return file.slice(0, Math.max(0, file.lastIndexOf('/')));
}
