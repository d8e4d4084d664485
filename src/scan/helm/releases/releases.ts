// All releases in a tree, by the directory of the chart.
import { addAll } from '../../../oci/add-all.ts';
import type { FileTree, Warning } from '../../contract.ts';
import { fluxSubstitutions } from '../../flux/substitutions.ts';
import { readObjectData } from '../../object-data.ts';
import { NO_VARIABLES, substitute } from '../../variables.ts';
import { parseYaml } from '../../yaml.ts';
import type { RenderedManifest } from '../render.ts';
import { isDictionary } from '../template/values.ts';
import type { WorkBudget } from '../template/work.ts';
import { readYaml } from '../template/yaml-values.ts';
import { argoReleases } from './argo-cd.ts';
import { fleetReleases, helmfileReleases, kustomizeReleases } from './files.ts';
import { chartsIn, fluxReleases, isHelmRelease, patchesIn, sourcesOf } from './flux.ts';
import { isHelmfile, renderHelmfile } from './helmfile-template.ts';
import { configsIn, k3sReleases } from './k3s.ts';
import type { ReadReleases, Release, ReleaseCandidate, ReleaseSurroundings } from './release.ts';

const READERS: readonly ReadReleases[] = [
  fluxReleases,
  argoReleases,
  k3sReleases,
  kustomizeReleases,
  helmfileReleases,
  fleetReleases,
];

const FILE = /\.(?:ya?ml|json)$|(?:^|\/)Kustomization$/i;
/** Every file that deploys a chart matches this. */
const CLUE =
  /\bHelmRelease\b|\bHelmChart\b|\bargoproj\.io\/|\bhelm\.cattle\.io\/|\bhelmCharts:|\bhelmChartInflationGenerator:|^releases:|^helm:/m;

const TEMPLATE =
  'a template of which not all can be worked out (name what `helmfile build` or `helmfile template` prints instead)';

export interface ReleasesOptions {
  readonly warn: (warning: Warning) => void;
  /** Called with the output of a file that is a template. */
  readonly rendered: (manifest: RenderedManifest) => void;
  readonly budget: WorkBudget;
}

/** Each file is read once, and parsed only if it may deploy a chart. Files among a chart's templates are not releases until they are rendered. */
export async function releasesIn(
  tree: FileTree,
  { warn, rendered, budget }: ReleasesOptions,
): Promise<ReadonlyMap<string, readonly Release[]>> {
  const candidates: ReleaseCandidate[] = [];
  for (const file of tree.files) {
    const isOne = isHelmfile(file);
    if ((!isOne && !FILE.test(file)) || /(?:^|\/)templates\//.test(file)) continue;
    const text = await tree.read(file);
    if (isOne && text.includes('{{')) {
      const helmfile = await renderHelmfile(tree, file, { text, budget });
      const { problem } = helmfile;
      rendered(helmfile.manifest);
      if (problem) warn({ file, line: problem.line, text: `${TEMPLATE}: ${problem.text}` });
      const doubt =
        problem || helmfile.isDoubtful ? { doubt: `[${file}] is a template of which not all is known` } : {};
      for (const document of helmfile.documents) candidates.push({ file, ...document, ...doubt });
      continue;
    }
    if (CLUE.test(text)) addAll(candidates, await candidatesIn(tree, file, text));
  }
  const names = new Set(candidates.filter(isHelmRelease).flatMap((one) => [...sourcesOf(one)].map(({ name }) => name)));
  const around: ReleaseSurroundings = {
    tree,
    warn,
    charts: chartsIn(candidates),
    patches: patchesIn(candidates),
    configs: configsIn(candidates),
    data: await readObjectData(tree, names),
  };
  const releases = new Map<string, Release[]>();
  for (const candidate of candidates) {
    for (const read of READERS) {
      for (const release of await read(candidate, around)) {
        const known = releases.get(release.chart) ?? [];
        releases.set(release.chart, known);
        known.push(release);
      }
    }
  }
  return releases;
}

/** The objects of a file, parsed as Helm would, with variables substituted. */
async function candidatesIn(tree: FileTree, file: string, text: string): Promise<readonly ReleaseCandidate[]> {
  const environments = text.includes('${')
    ? (await fluxSubstitutions(tree)).environmentsOf(file)
    : [{ variables: NO_VARIABLES }];
  return parseYaml(file, text).documents.flatMap((document) =>
    environments.flatMap(({ variables }): readonly ReleaseCandidate[] => {
      const value = readYaml(substitute(document.source ?? '', variables));
      if (!isDictionary(value)) return [];
      const items = Array.isArray(value.items) && /List$/.test(String(value.kind)) ? value.items : [value];
      return items.filter(isDictionary).map((item) => ({ file, value: item, line: document.lineOf([]) }));
    }),
  );
}
