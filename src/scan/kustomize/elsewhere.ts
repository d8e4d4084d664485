// What a kustomization says of resources that are not here: the images that its patches, `images:` and charts' values set are in use all the same.
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

/** What makes an object of the following for the document rules; kustomize calls its own so. */
const BUILTIN: ResourceFields = { apiVersion: 'builtin' };

/** Nothing among the resources is what the patch is for. */
export function isMissed(resources: readonly Resource[], patch: unknown, target: ResourceFields | undefined): boolean {
  if (target) return !resources.some((resource) => isSelected(resource, target));
  return isFields(patch) && typeof patch.kind === 'string' && !resources.some((resource) => isNamedBy(resource, patch));
}

/** What a patch alone says: of a strategic merge its own object, of a JSON patch one object for each value that it sets. */
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
  return { value: top, names: [] };
}

/** The result of an entry of `images:` that none of the resources here has. A new name alone leaves the tag to what is elsewhere. */
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
      doubt: 'what it changes is elsewhere',
    },
  ];
}

/** Values that a chart which is not rendered would get. */
export function valuesOfChart(source: ResourceOrigin, values: unknown): readonly Resource[] {
  if (!isFields(values)) return [];
  return [{ value: { ...BUILTIN, kind: 'HelmChartInflationGenerator', values: copyFrom(source, values) }, names: [] }];
}

/** `valuesInline:` stands in the kustomization; other values are whole files, often with what is switched off. */
export function valuesFileOfChart(document: ScannedDocument): readonly Resource[] {
  const path: Path = [];
  return valuesOfChart({ document, path }, document.value).map((resource) => ({
    ...resource,
    doubt: 'the chart that these values are for is elsewhere',
  }));
}
