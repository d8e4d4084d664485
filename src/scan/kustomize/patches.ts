// The patches of a kustomization: strategic merge or JSON patches, in files or inline, with a target or with the name of a resource.
import type { ScannedDocument } from '../contract.ts';
import { resolveIn } from '../tree-paths.ts';
import { parseYaml } from '../yaml.ts';
import { type BuildState, spendBudget } from './build-state.ts';
import { isMissed, objectsOfPatch } from './elsewhere.ts';
import { applyJsonPatch } from './json-patch.ts';
import type { Kustomization } from './kustomization.ts';
import { mergeResource } from './merge.ts';
import { isFields, type Resource, type ResourceFields } from './resource.ts';
import { isNamedBy, isSelected } from './select.ts';

/** Applies the patches in kustomize's order: `patchesStrategicMerge`, `patches`, `patchesJson6902`. Returns the remaining resources. */
export async function applyPatches(
  state: BuildState,
  kustomization: Kustomization,
  resources: readonly Resource[],
): Promise<readonly Resource[]> {
  const { fields } = kustomization;
  let left = resources;
  for (const name of ['patchesStrategicMerge', 'patches', 'patchesJson6902']) {
    const list = Array.isArray(fields[name]) ? fields[name] : [];
    for (const [index, entry] of list.entries()) {
      const target = isFields(entry) && isFields(entry.target) ? entry.target : undefined;
      for (const document of await patchDocuments(state, kustomization, { entry, path: [name, index] })) {
        const isForElsewhere =
          state.incomplete.has(kustomization.directory) &&
          spendBudget(state, left.length) &&
          isMissed(left, document.value, target);
        left = isForElsewhere
          ? [...left, ...objectsOfPatch(document, target)]
          : applyPatch(state, left, { document, target });
      }
    }
  }
  return left;
}

interface PatchEntry {
  readonly entry: unknown;
  readonly path: readonly (string | number)[];
}

async function patchDocuments(
  state: BuildState,
  kustomization: Kustomization,
  { entry, path }: PatchEntry,
): Promise<readonly ScannedDocument[]> {
  const { document, file } = kustomization;
  const named =
    typeof entry === 'string' ? entry : isFields(entry) && typeof entry.path === 'string' ? entry.path : undefined;
  const inline =
    isFields(entry) && typeof entry.patch === 'string' ? { text: entry.patch, path: [...path, 'patch'] } : undefined;
  const patchFile = named === undefined || named.includes('\n') ? undefined : resolveIn(kustomization.directory, named);
  if (patchFile !== undefined && state.tree.has(patchFile)) {
    state.claim(patchFile);
    return state.tree.documents(patchFile);
  }
  const text = inline ?? (named?.includes('\n') ? { text: named, path } : undefined);
  if (text) return inlineDocuments(document, text);
  if (named !== undefined) state.warn({ file, line: document.lineOf(path), text: `the patch [${named}] is not here` });
  return [];
}

/** The documents of an inline patch. Their lines are lines of the kustomization file. */
export function inlineDocuments(
  document: ScannedDocument,
  { text, path }: { readonly text: string; readonly path: readonly (string | number)[] },
): readonly ScannedDocument[] {
  return parseYaml(document.file, text).documents.map((inner) => ({
    file: document.file,
    value: inner.value,
    lineOf: (at) => document.lineInText(path, inner.lineOf(at)),
    lineInText: (at, line) => document.lineInText(path, inner.lineInText(at, line)),
  }));
}

/** Applies a patch: a list is a JSON patch, a mapping a strategic merge patch. Does nothing if the budget is too small to compare all resources. */
export function applyPatch(
  state: BuildState,
  resources: readonly Resource[],
  { document, target }: { readonly document: ScannedDocument; readonly target: ResourceFields | undefined },
): readonly Resource[] {
  const { value } = document;
  const source = { document, path: [] };
  const isMeant = (resource: Resource): boolean => (target ? isSelected(resource, target) : isNamedBy(resource, value));
  // Comparing a long name costs more than one unit.
  const names = resources.reduce((length, resource) => length + (resource.names.at(-1)?.length ?? 0), 0);
  if (!spendBudget(state, resources.length + (names >> 6))) return resources;
  const size = COPY * sizeOf(value);
  if (Array.isArray(value)) {
    const failures = new Set<string>();
    const copies = (copied: unknown) => spendBudget(state, COPY * sizeOf(copied));
    for (const resource of resources) {
      if (!target || !isMeant(resource) || !spendBudget(state, size)) continue;
      for (const failure of applyJsonPatch(resource.value, value, { source, copies })) failures.add(failure);
    }
    warnOf(state, document, failures);
    return resources;
  }
  if (!isFields(value)) return resources;
  return resources.filter(
    (resource) =>
      !isMeant(resource) || !spendBudget(state, size) || mergeResource(resource.value, withoutIdentity(value), source),
  );
}

/** kustomize would refuse the build. No warning if resources are elsewhere or were cut: the target may be there. */
function warnOf(state: BuildState, document: ScannedDocument, failures: ReadonlySet<string>): void {
  const [first, ...others] = failures;
  if (first === undefined || state.incomplete.size > 0 || state.budget.isCut) return;
  const more = others.length > 0 ? ` (and ${others.length} more)` : '';
  const text = `a patch cannot be applied whole: ${first}${more}`;
  state.warn({ file: document.file, line: document.lineOf([]), text });
}

/** Copying a value costs as much as this many comparisons. */
const COPY = 20;

function sizeOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((size, item) => size + sizeOf(item), 1);
}

/** Removes the fields that identify the target, since a patch may have other names than its target. */
function withoutIdentity(patch: ResourceFields): ResourceFields {
  const { metadata, apiVersion, kind, ...rest } = patch;
  if (!isFields(metadata)) return rest;
  const { name, namespace, ...others } = metadata;
  return { ...rest, metadata: others };
}
