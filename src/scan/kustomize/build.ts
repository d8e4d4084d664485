// The result of `kustomize build`: the listed resources, generated ones, components, patches, then images.
// The order is kustomize's (api/internal/target/kusttarget.go). Labels say nothing about images; of names and namespaces, what patches select by them.
import { addAll } from '../../oci/add-all.ts';
import type { ScannedDocument } from '../contract.ts';
import { resolveIn } from '../tree-paths.ts';
import { type BuildState, spendBudget, spendResources } from './build-state.ts';
import { changedElsewhere, valuesFileOfChart, valuesOfChart } from './elsewhere.ts';
import { generateResources } from './generators.ts';
import { createImageChanger } from './image-changer.ts';
import { IMAGE_VOLUMES, type ImageChange, imageChanges, imageFieldsOf } from './images.ts';
import { type Entry, entriesOf, isRemote, type Kustomization } from './kustomization.ts';
import { applyPatches } from './patches.ts';
import { doubtReplaced } from './replacements.ts';
import { copyResource, isFields, type Resource, type ResourceFields, resourceOf } from './resource.ts';
import { runTransformers } from './transformers.ts';

/** Builds a kustomization. If it refers to itself, directly or through others, that entry is left out with a warning. */
export async function buildKustomization(
  state: BuildState,
  kustomization: Kustomization,
  stack: readonly string[] = [],
): Promise<readonly Resource[]> {
  const { directory } = kustomization;
  const { budget, unfinished } = state;
  const resources = state.built.get(directory) ?? (await accumulate(state, kustomization, { resources: [], stack }));
  state.built.set(directory, resources);
  const isLeft = spendResources(state, resources.length + 1);
  // A partial result is partial for every kustomization that includes it.
  if (unfinished.has(directory)) budget.isCut = true;
  if (budget.isCut) unfinished.add(directory);
  if (budget.work < 0)
    for (const resource of resources) resource.doubt ??= 'not all changes of its kustomization are made';
  // Each including kustomization gets its own copies, since it changes them.
  return isLeft ? resources.map(copyResource) : [];
}

interface Accumulating {
  /** For a component: the resources that it changes. */
  readonly resources: readonly Resource[];
  readonly stack: readonly string[];
}

async function accumulate(
  state: BuildState,
  kustomization: Kustomization,
  given: Accumulating,
): Promise<readonly Resource[]> {
  const { document, fields, file } = kustomization;
  state.claim(file);
  const stack = [...given.stack, kustomization.directory];
  let resources: readonly Resource[] = [...given.resources];
  for (const entry of entriesOf(kustomization, 'resources', 'bases')) {
    resources = [...resources, ...(await resourcesOf(state, kustomization, { entry, stack }))];
  }
  resources = await generateResources(state, kustomization, resources);
  resources = [...resources, ...(await valuesOfCharts(state, kustomization))];
  for (const entry of entriesOf(kustomization, 'components')) {
    const component = await namedKustomization(state, kustomization, { entry, stack });
    if (component) resources = await accumulateComponent(state, kustomization, { component, resources, stack });
  }
  resources = await applyPatches(state, kustomization, resources);
  resources = await runTransformers(state, kustomization, resources);
  for (const resource of resources) rename(resource, fields);
  const specs = [...IMAGE_VOLUMES, ...(await configuredImages(state, kustomization))];
  const changes = ['imageTags', 'images'].flatMap((name) => imageChanges(fields[name], { document, path: [name] }));
  resources = changeImages(state, resources, {
    specs,
    changes,
    isIncomplete: state.incomplete.has(kustomization.directory),
  });
  await doubtReplaced(state, kustomization, resources);
  for (const entry of entriesOf(kustomization, 'crds', 'validators')) claimEntry(state, kustomization, entry);
  return resources;
}

/** Applies `images:` to the resources. If some resources are elsewhere, adds the images that unused entries would set there. */
function changeImages(
  state: BuildState,
  resources: readonly Resource[],
  {
    specs,
    changes,
    isIncomplete,
  }: {
    readonly specs: readonly ResourceFields[];
    readonly changes: readonly ImageChange[];
    readonly isIncomplete: boolean;
  },
): readonly Resource[] {
  if (changes.length === 0) return resources;
  if (!spendBudget(state, specs.length * resources.length)) return resources;
  const fieldsOf = (resource: Resource) => imageFieldsOf(resource, specs);
  const changer = createImageChanger(changes, state);
  changer.apply(resources.flatMap(fieldsOf));
  const all = [...resources];
  for (const [index, change] of isIncomplete ? changes.entries() : []) {
    if (changer.hasUsed(index)) continue;
    const elsewhere = changedElsewhere(change);
    addAll(all, elsewhere);
    changer.apply(elsewhere.flatMap(fieldsOf), index + 1);
  }
  return all;
}

/** Builds a component on the given resources. If some resources of the including kustomization are elsewhere, those that the component changes may be, too. */
async function accumulateComponent(
  state: BuildState,
  { directory }: Kustomization,
  { component, ...given }: Accumulating & { readonly component: Kustomization },
): Promise<readonly Resource[]> {
  const isInherited = state.incomplete.has(directory) && !state.incomplete.has(component.directory);
  if (!spendResources(state, given.resources.length + 1)) return given.resources;
  if (isInherited) state.incomplete.add(component.directory);
  const resources = await accumulate(state, component, given);
  if (isInherited) state.incomplete.delete(component.directory);
  else if (state.incomplete.has(component.directory)) state.incomplete.add(directory);
  return resources;
}

interface Naming {
  readonly entry: Entry;
  readonly stack: readonly string[];
}

/** The resources of an entry of `resources:`: a file, or another kustomization. */
async function resourcesOf(
  state: BuildState,
  kustomization: Kustomization,
  naming: Naming,
): Promise<readonly Resource[]> {
  const path = resolveIn(kustomization.directory, naming.entry.text);
  if (path !== undefined && state.tree.has(path)) {
    state.claim(path);
    return (await state.tree.documents(path)).flatMap(objectsOf);
  }
  const other = await namedKustomization(state, kustomization, naming);
  const built = other ? await buildKustomization(state, other, naming.stack) : [];
  if (!other || state.incomplete.has(other.directory)) state.incomplete.add(kustomization.directory);
  return built;
}

async function namedKustomization(
  state: BuildState,
  kustomization: Kustomization,
  { entry, stack }: Naming,
): Promise<Kustomization | undefined> {
  const path = resolveIn(kustomization.directory, entry.text);
  const other = path === undefined ? undefined : state.kustomizations.get(path);
  const line = kustomization.document.lineOf(entry.path);
  const warn = (text: string): void => state.warn({ file: kustomization.file, line, text });
  if (other && stack.includes(other.directory)) warn(`[${entry.text}] names this kustomization again`);
  else if (other) return other;
  else if (isRemote(entry.text)) warn(`[${entry.text}] is elsewhere and not fetched: its images are not found`);
  else warn(`[${entry.text}] is not here: its images are not found`);
  return undefined;
}

/** The objects of a document. A List is replaced by its items. */
export function objectsOf(document: ScannedDocument): readonly Resource[] {
  const { value } = document;
  if (!isFields(value)) return [];
  if (!Array.isArray(value.items) || !/List$/.test(String(value.kind)))
    return [resourceOf({ document, path: [] }, value)];
  return value.items.flatMap((item, index) =>
    isFields(item) ? [resourceOf({ document, path: ['items', index] }, item)] : [],
  );
}

/** Records the new name and namespace. Patches of including kustomizations may use the new ones or the old ones. */
function rename({ names, namespaces }: Resource, fields: ResourceFields): void {
  const text = (key: string): string => (typeof fields[key] === 'string' ? fields[key] : '');
  if (text('namespace')) namespaces.push(text('namespace'));
  const last = names.at(-1);
  if (last !== undefined && (text('namePrefix') || text('nameSuffix'))) {
    names.push(`${text('namePrefix')}${last}${text('nameSuffix')}`);
  }
}

/** Additional image fields from the files in `configurations:`. */
async function configuredImages(state: BuildState, kustomization: Kustomization): Promise<readonly ResourceFields[]> {
  const specs: ResourceFields[] = [];
  for (const entry of entriesOf(kustomization, 'configurations')) {
    const path = claimEntry(state, kustomization, entry);
    if (path === undefined) continue;
    for (const { value } of await state.tree.documents(path)) {
      if (isFields(value) && Array.isArray(value.images)) addAll(specs, value.images.filter(isFields));
    }
  }
  return specs;
}

function claimEntry(state: BuildState, kustomization: Kustomization, entry: Entry): string | undefined {
  const path = resolveIn(kustomization.directory, entry.text);
  if (path === undefined || !state.tree.has(path)) return undefined;
  state.claim(path);
  return path;
}

/** The values that the kustomization gives to charts which kustomize would have Helm fetch and render. */
async function valuesOfCharts(state: BuildState, kustomization: Kustomization): Promise<readonly Resource[]> {
  const { document, fields, file, directory } = kustomization;
  const resources: Resource[] = [];
  for (const name of ['helmCharts', 'helmChartInflationGenerator']) {
    const charts = Array.isArray(fields[name]) ? fields[name].filter(isFields) : [];
    for (const [index, chart] of charts.entries()) {
      state.incomplete.add(directory);
      const title = String(chart.name ?? chart.chartName ?? '');
      const isHere = isChartHere(state, kustomization, title);
      if (!isHere) {
        const text = `the chart [${title}] is not rendered with these values: its images are not found`;
        state.warn({ file, line: document.lineOf([name, index]), text });
        addAll(resources, valuesOfChart({ document, path: [name, index, 'valuesInline'] }, chart.valuesInline));
      }
      const more = Array.isArray(chart.additionalValuesFiles) ? chart.additionalValuesFiles : [];
      for (const value of [chart.valuesFile, chart.values, ...more]) {
        const path = typeof value === 'string' ? resolveIn(directory, value) : undefined;
        if (path === undefined || !state.tree.has(path)) continue;
        state.claim(path);
        if (!isHere) addAll(resources, (await state.tree.documents(path)).flatMap(valuesFileOfChart));
      }
    }
  }
  return resources;
}

/** Whether the chart lies beside the kustomization, where the rule for charts renders it with these values (`chartHome` of HelmChartInflationGenerator). */
function isChartHere({ tree }: BuildState, { fields, directory }: Kustomization, name: string): boolean {
  const home = isFields(fields.helmGlobals) ? fields.helmGlobals.chartHome : undefined;
  const path = resolveIn(directory, `${typeof home === 'string' ? home : 'charts'}/${name}/Chart.yaml`);
  return path !== undefined && tree.has(path);
}
