// The rules about layers: ids, links, the layers below, directories. Pure.
import { printableName } from '../../../tar/names.ts';
import { type Problem, problem, type Rule } from './problem.ts';
import type { StoreModel } from './store-model.ts';
import type { FoundLayer } from './stored-records.ts';

/** Reads a small file as text. Returns `undefined` if it does not exist. */
export type LayerTexts = (path: string) => Promise<string | undefined>;

export interface LayersToCheck {
  readonly model: StoreModel;
  readonly read: LayerTexts;
  readonly ofContainers: ReadonlySet<FoundLayer>;
}

/** Problems by layer id. The key "" holds those that belong to no layer. */
export async function checkLayers(
  layers: readonly FoundLayer[],
  { model, read, ofContainers }: LayersToCheck,
): Promise<ReadonlyMap<string, readonly Problem[]>> {
  const byId = new Map(layers.map((layer) => [layer.id, layer]));
  const links = new Map<string, string>();
  for (const { id } of layers) links.set(id, (await read(`overlay/${id}/link`)) ?? '');
  const found = new Map<string, readonly Problem[]>();
  const seen = new Set<string>();
  for (const layer of layers) {
    const add = problemsOf(layer);
    if (seen.has(layer.id)) add('layer-id', 'two layers have this id');
    if (layer.parent !== undefined && !byId.has(layer.parent)) add('chain', `its parent ${layer.parent} is not there`);
    seen.add(layer.id);
    checkRecord(layer, layers, add);
    checkDirectory(layer, model, add);
    if (!ofContainers.has(layer)) checkImageLayer(layer, model, add);
    checkLink(layer, { links, model, add });
    await checkLower(layer, { links, byId, read, add });
    found.set(layer.id, add.problems);
  }
  found.set('', orphans(model, new Set(byId.keys()), links));
  return found;
}

type Add = ((rule: Rule, text: string) => void) & { readonly problems: Problem[] };

function problemsOf(_layer: FoundLayer): Add {
  const problems: Problem[] = [];
  const add = (rule: Rule, text: string): void => {
    problems.push(problem(rule, text));
  };
  return Object.assign(add, { problems });
}

function checkRecord(layer: FoundLayer, layers: readonly FoundLayer[], add: Add): void {
  const { diffDigest, diffSize, names, isIncomplete } = layer;
  if (isIncomplete) add('incomplete', 'it has the flag `incomplete`');
  if (diffDigest !== undefined && diffSize === undefined) add('diff-size', 'it has a diff-digest and no diff-size');
  const clash = names.find((name) => layers.some((other) => other !== layer && other.names.includes(name)));
  if (clash !== undefined) add('layer-id', `another layer has its name too [${clash}]`);
}

/** What a layer needs to be pushed, verified and mounted as a part of an image. */
function checkImageLayer({ id, diffDigest, tocDigest }: FoundLayer, model: StoreModel, add: Add): void {
  if (diffDigest === undefined && tocDigest === undefined) add('diff-size', 'it has no diff-digest');
  if (!model.entries.has(`overlay-layers/${id}.tar-split.gz`)) add('tar-split', 'there is no tar-split of it');
  for (const name of ['work', 'merged', 'empty']) {
    const content = model.children(`overlay/${id}/${name}`);
    if (content.length > 0) add('work', `${name} is not empty: ${content.slice(0, 3).map(printableName).join(', ')}`);
  }
}

function checkDirectory({ id, parent }: FoundLayer, model: StoreModel, add: Add): void {
  const directory = `overlay/${id}`;
  if (model.entries.get(directory)?.mode !== 0o700) add('diff-directory', `${directory} is no directory of mode 700`);
  for (const name of ['diff', 'merged', 'work', ...(parent === undefined ? ['empty'] : [])]) {
    const entry = model.entries.get(`${directory}/${name}`);
    // podman removes `merged` when it unmounts an image, and makes it when it mounts one.
    if (!entry && name === 'merged') continue;
    if (entry?.type !== 'directory') add('diff-directory', `there is no directory ${name}`);
    else if (name !== 'diff' && entry.mode !== 0o700) add('modes', `${name} has mode ${entry.mode.toString(8)}`);
  }
  const known = ['diff', 'merged', 'work', 'empty', 'link', 'lower', 'lower-layers'];
  for (const name of model.children(directory)) {
    if (!known.includes(name)) add('orphan', `nothing is known of ${directory}/${printableName(name)}`);
  }
}

interface Linking {
  readonly links: ReadonlyMap<string, string>;
  readonly model: StoreModel;
  readonly add: Add;
}

function checkLink({ id }: FoundLayer, { links, model, add }: Linking): void {
  const link = links.get(id) ?? '';
  if (!/^[A-Z2-7]{26}$/.test(link)) {
    add('link', `its link is not 26 characters of A-Z and 2-7 [${JSON.stringify(link)}]`);
    return;
  }
  if ([...links].some(([other, same]) => other !== id && same === link))
    add('link', `another layer has its link too [${link}]`);
  const entry = model.entries.get(`overlay/l/${link}`);
  if (entry?.type !== 'symlink' || entry.linkname !== `../${id}/diff`) {
    add('link', `overlay/l/${link} does not lead to it [${entry?.linkname ?? 'not there'}]`);
  }
}

interface Lowering {
  readonly links: ReadonlyMap<string, string>;
  readonly byId: ReadonlyMap<string, FoundLayer>;
  readonly read: LayerTexts;
  readonly add: Add;
}

async function checkLower({ id, parent }: FoundLayer, { links, byId, read, add }: Lowering): Promise<void> {
  const below: string[] = [];
  for (let at = parent; at !== undefined && !below.includes(at); at = byId.get(at)?.parent) below.push(at);
  const lower = await read(`overlay/${id}/lower`);
  const lowerLayers = await read(`overlay/${id}/lower-layers`);
  const byLink = below.map((one) => `l/${links.get(one)}`).join(':');
  const byName = below.join(':');
  if (below.length === 0) {
    if (lower !== undefined) add('lower', 'it has nothing below it, and yet a file lower');
    if (lowerLayers !== undefined) add('lower-layers', 'it has nothing below it, and yet a file lower-layers');
    return;
  }
  if (lower !== byLink) add('lower', `lower is ${short(lower)}, the layers below are ${short(byLink)}`);
  // Older tools do not write this file.
  if (lowerLayers !== undefined && lowerLayers !== byName) {
    add('lower-layers', `lower-layers is ${short(lowerLayers)}, the layers below are ${short(byName)}`);
  }
}

function orphans(
  model: StoreModel,
  known: ReadonlySet<string>,
  links: ReadonlyMap<string, string>,
): readonly Problem[] {
  const problems: Problem[] = [];
  const linked = new Set(links.values());
  for (const name of model.children('overlay')) {
    if (/^[0-9a-f]{64}$/.test(name) && !known.has(name))
      problems.push(problem('orphan', `overlay/${name} is no layer of layers.json`));
  }
  for (const name of model.children('overlay/l')) {
    if (!linked.has(name)) problems.push(problem('orphan', `overlay/l/${printableName(name)} is no layer's link`));
  }
  for (const name of model.children('overlay-layers')) {
    const [, id] = /^(.*)\.tar-split\.gz$/.exec(name) ?? [];
    if (id !== undefined && !known.has(id)) problems.push(problem('orphan', `overlay-layers/${name} is of no layer`));
  }
  return problems;
}

function short(text: string | undefined): string {
  if (text === undefined) return 'not there';
  return text.length > 60 ? `${JSON.stringify(text.slice(0, 60))}…` : JSON.stringify(text);
}
