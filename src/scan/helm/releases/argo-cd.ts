// Argo CD Applications, and ApplicationSets with literal lists, of charts in a directory of a repository (argo-cd.readthedocs.io, "Helm").
import { mapTexts } from '../../map-texts.ts';
import { directoryInRepository, resolveIn } from '../../tree-paths.ts';
import { type Dictionary, isDictionary } from '../template/values.ts';
import { valueAtPath } from '../values.ts';
import { createLayers, doubtOf, fileInRepository, type Layers } from './layers.ts';
import type { ReadReleases, Release, ReleaseCandidate, ReleaseSurroundings } from './release.ts';

/** Maximum number of elements in the lists of an ApplicationSet. Longer than anybody writes. */
const MAX_ELEMENTS = 1000;
/** Maximum number of characters for all elements together: the length of the template for each. A few elements (FEW) are always examined. */
const MAX_CHARACTERS = 16 << 20;
const FEW = 50;

export const argoReleases: ReadReleases = async (candidate, around) => {
  if (!/^argoproj\.io\//.test(String(candidate.value.apiVersion))) return [];
  const releases: Release[] = [];
  for (const spec of specsOf(candidate, around)) {
    const sources = Array.isArray(spec.sources) ? spec.sources : [spec.source];
    for (const source of sources.filter(isDictionary)) {
      const chart =
        typeof source.path === 'string' ? directoryInRepository(around.tree, candidate.file, source.path) : undefined;
      if (chart === undefined) continue;
      const layers = createLayers();
      if (isDictionary(source.helm)) await addValues(layers, source.helm, { chart, candidate, around });
      releases.push({ chart, file: candidate.file, line: candidate.line, values: layers.values, ...doubtOf(layers) });
    }
  }
  return releases;
};

function specsOf({ value, file, line }: ReleaseCandidate, { warn }: ReleaseSurroundings): readonly Dictionary[] {
  const { kind, spec } = value;
  if (kind === 'Application') return [spec].filter(isDictionary);
  const template = valueAtPath(spec, 'template.spec');
  if (kind !== 'ApplicationSet' || !isDictionary(template)) return [];
  const generators = valueAtPath(spec, 'generators');
  const elements = (Array.isArray(generators) ? generators : []).flatMap((generator) => {
    const list = valueAtPath(generator, 'list.elements');
    return Array.isArray(list) ? list.filter(isDictionary) : [];
  });
  if (elements.length === 0) return [template];
  const fitting = Math.max(FEW, Math.floor(MAX_CHARACTERS / JSON.stringify(template).length));
  const looked = elements.slice(0, Math.min(MAX_ELEMENTS, fitting));
  const left = elements.length - looked.length;
  if (left > 0)
    warn({
      file,
      line,
      text: `of the elements of its list the last ${left} are not looked at: what they deploy is not found`,
    });
  return looked.map((element) => filledIn(template, element));
}

/** Fills in `{{name}}` and `{{.name}}`. */
function filledIn(template: Dictionary, element: Dictionary): Dictionary {
  const change = (text: string): string =>
    text.replace(/\{\{[ \t]*\.?([\w.-]+)[ \t]*\}\}/g, (written, name: string) => {
      const value = valueAtPath(element, name);
      return typeof value === 'string' || typeof value === 'number' ? String(value) : written;
    });
  return mapTexts(template, change) as Dictionary;
}

async function addValues(
  layers: Layers,
  helm: Dictionary,
  {
    chart,
    candidate,
    around,
  }: { readonly chart: string; readonly candidate: ReleaseCandidate; readonly around: ReleaseSurroundings },
): Promise<void> {
  const { tree } = around;
  for (const name of Array.isArray(helm.valueFiles) ? helm.valueFiles.map(String) : []) {
    // `$values/…` is a path in another source. It is looked for in this tree.
    const file = /^[$/]/.test(name)
      ? fileInRepository(tree, candidate.file, name.replace(/^\$[^/]*\//, ''))
      : resolveIn(chart, name);
    const isThere = file !== undefined && tree.has(file);
    if (isThere || helm.ignoreMissingValueFiles !== true) await layers.addFile(tree, file, name);
  }
  if (typeof helm.values === 'string') layers.addText(helm.values, 'helm.values');
  layers.add(helm.valuesObject);
  for (const parameter of Array.isArray(helm.parameters) ? helm.parameters.filter(isDictionary) : []) {
    const { name, value, forceString } = parameter;
    if (typeof name === 'string') layers.set(name, value, forceString === true);
  }
}
