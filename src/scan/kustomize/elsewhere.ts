// What a kustomization sets on resources that are elsewhere. Images set by its patches, `images:` and values of charts are in use all the same.
import type { Path, ScannedDocument } from '../contract.ts';
import { judgeImage } from '../image-text.ts';
import type { ImageChange } from './images.ts';
import {
  copyFrom,
  isFields,
  type Resource,
  type ResourceFields,
  type ResourceOrigin,
  resourceOf,
  setFrom,
} from './resource.ts';
import { isNamedBy, isSelected } from './select.ts';

/** Makes the generated resources objects for the document rules. kustomize uses this `apiVersion` for its own kinds. */
const BUILTIN: ResourceFields = { apiVersion: 'builtin' };

/** Whether the patch has no target among the resources. */
export function isMissed(resources: readonly Resource[], patch: unknown, target: ResourceFields | undefined): boolean {
  if (target) return !resources.some((resource) => isSelected(resource, target));
  return isFields(patch) && typeof patch.kind === 'string' && !resources.some((resource) => isNamedBy(resource, patch));
}

/** The objects made from a patch alone: a strategic merge patch is one object, a JSON patch gives one for each value that it sets. */
export function objectsOfPatch(document: ScannedDocument, target: ResourceFields | undefined): readonly Resource[] {
  const { value } = document;
  const kind = typeof target?.kind === 'string' ? { kind: target.kind } : {};
  if (isFields(value)) {
    const resource = resourceOf({ document, path: [] }, value);
    return [{ ...resource, value: Object.assign(resource.value, { ...kind, ...resource.value }) }];
  }
  if (!Array.isArray(value)) return [];
  return value.flatMap((operation, index) => {
    if (!isFields(operation) || typeof operation.path !== 'string' || operation.value === undefined) return [];
    const keys = operation.path.split('/').slice(1);
    return [objectAt(keys, operation.value, { kind, source: { document, path: [index, 'value'] } })];
  });
}

/** `/spec/containers/0/image` and its value → `{spec: {containers: [{image}]}}`. */
function objectAt(
  keys: readonly string[],
  value: unknown,
  { kind, source }: { readonly kind: ResourceFields; readonly source: ResourceOrigin },
): Resource {
  const top: ResourceFields = { ...BUILTIN, kind: 'Patch', ...kind };
  let holder: ResourceFields | unknown[] = top;
  for (const [at, written] of keys.entries()) {
    const key = Array.isArray(holder) ? holder.length : written.replaceAll('~1', '/').replaceAll('~0', '~');
    if (at === keys.length - 1) setFrom(source, holder, key)(value);
    else {
      const inner: ResourceFields | unknown[] = /^(?:\d+|-)$/.test(keys[at + 1] ?? '') ? [] : {};
      (holder as ResourceFields)[key] = inner;
      holder = inner;
    }
  }
  return { value: top, names: [], namespaces: [] };
}

/** The image that an unused entry of `images:` sets on resources elsewhere. Empty if it only sets a new name, since the tag is then unknown. */
export function changedElsewhere(change: ImageChange): readonly Resource[] {
  if (change.newTag === '' && change.digest === '') return [];
  const name = change.newName || change.name;
  const image = `${name}${change.newTag && `:${change.newTag}`}${change.digest && `@${change.digest}`}`;
  if (judgeImage(image).kind !== 'image') return [];
  const container: ResourceFields = { name: 'elsewhere' };
  setFrom(change.source, container, 'image')(image);
  return [
    {
      value: { ...BUILTIN, kind: 'Elsewhere', containers: [container] },
      names: [],
      namespaces: [],
      doubt: 'what it changes is elsewhere',
    },
  ];
}

/** The values that a chart would get, for a chart that is not rendered. */
export function valuesOfChart(source: ResourceOrigin, values: unknown): readonly Resource[] {
  if (!isFields(values)) return [];
  const value = { ...BUILTIN, kind: 'HelmChartInflationGenerator', values: copyFrom(source, values) };
  return [{ value, names: [], namespaces: [] }];
}

/** Values from a file, as maybes: it often contains values for parts that are switched off. (`valuesInline:` stands in the kustomization itself.) */
export function valuesFileOfChart(document: ScannedDocument): readonly Resource[] {
  const path: Path = [];
  return valuesOfChart({ document, path }, document.value).map((resource) => ({
    ...resource,
    doubt: 'the chart that these values are for is elsewhere',
  }));
}
