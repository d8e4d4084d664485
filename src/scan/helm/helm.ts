// The rule for Helm charts: unpacked ones, packed ones that lie about, and who deploys them. Relies on find-in-chart.ts.
import { isImagesError } from '../../oci/errors.ts';
import { addAll } from '../add-all.ts';
import type { DocumentRule, FileTree, Finding, TreeRule, Warning } from '../contract.ts';
import { withPatterns } from '../patterns.ts';
import { chartDirectories, filesIn, inDirectory } from './chart.ts';
import { isPacked, openChartArchive } from './chart-archive.ts';
import { type ChartOptions, findInChart, findInReleases } from './find-in-chart.ts';
import type { FoundInCharts } from './find-in-manifests.ts';
import type { Release } from './releases/release.ts';

type ReleasesByChart = ReadonlyMap<string, readonly Release[]>;

/** Makes the rule; `documentRules` look at the rendered manifests. */
export function helmCharts(documentRules: readonly DocumentRule[]): TreeRule {
  return {
    name: 'helm',
    find: async (tree, given) => {
      const findings: Finding[] = [];
      const warnings: Warning[] = [];
      const claimed = new Set<string>();
      const directories = await chartDirectories(tree);
      const releases: ReleasesByChart =
        directories.length > 0 || tree.files.some(isPacked) ? await releasesOf(tree) : new Map();
      for (const directory of directories) {
        for (const file of filesIn(tree, directory)) claimed.add(file);
        const deployed = releases.get(directory) ?? [];
        const options = { rules: documentRules, releases: deployed, given };
        const found = await withPatterns(() => findInChart(tree, directory, options));
        addAll(findings, found.findings);
        addAll(warnings, found.warnings);
      }
      for (const [directory, deployed] of releases) {
        // A chart in another one, deployed for itself.
        if (directories.includes(directory) || !tree.has(inDirectory(directory, 'Chart.yaml'))) continue;
        const found = await withPatterns(() =>
          findInReleases(tree, directory, {
            rules: documentRules,
            releases: deployed,
            given: undefined,
          }),
        );
        addAll(findings, found.findings);
        addAll(warnings, found.warnings);
      }
      const repositories = await repositoriesIn(tree);
      for (const file of tree.files) {
        if (!isPacked(file) || claimed.has(file) || repositories.has(directoryOf(file))) continue;
        const found = await findInArchive(tree, file, {
          rules: documentRules,
          releases: releases.get(file) ?? [],
          given,
        });
        addAll(findings, found.findings);
        addAll(warnings, found.warnings);
      }
      return { findings, warnings, claimed };
    },
    findNamed: async (tree, file, given) => {
      if (file !== 'Chart.yaml' || !(await chartDirectories(tree)).includes('')) return undefined;
      const found = await findInChart(tree, '', { rules: documentRules, releases: [], given });
      return { ...found, claimed: new Set() };
    },
  };
}

/** Few trees have charts: others do not load what finds out who deploys them. */
async function releasesOf(tree: FileTree): Promise<ReleasesByChart> {
  const { releasesIn } = await import('./releases/releases.ts');
  return await releasesIn(tree);
}

/** An archive that lies about on its own; what is no chart is none of ours. */
async function findInArchive(tree: FileTree, file: string, options: ChartOptions): Promise<FoundInCharts> {
  try {
    const packed = await openChartArchive(file, await tree.bytes(file));
    if (packed) return await withPatterns(() => findInChart(packed.tree, packed.directory, options));
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
