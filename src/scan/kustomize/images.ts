// The `images:` of a kustomization. Semantics: kustomize's api/filters/imagetag and api/internal/image.
import { nameTest } from '../patterns.ts';
import { type Fields, isFields, type Resource, type Source, setFrom } from './resource.ts';

export interface ImageChange {
  readonly name: string;
  readonly isFor: (image: string) => boolean;
  readonly newName: string;
  readonly newTag: string;
  readonly digest: string;
  readonly tagSuffix: string;
  /** Where the change is written: its tag, digest, or name. */
  readonly source: Source;
}

export function imageChanges(list: unknown, source: Source): readonly ImageChange[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry, index) => {
    if (!isFields(entry)) return [];
    const text = (key: string): string => (entry[key] === undefined || entry[key] === null ? '' : String(entry[key]));
    if (text('name') === '') return [];
    const written = ['newTag', 'digest', 'newName', 'tagSuffix'].find((key) => text(key) !== '') ?? 'name';
    return [
      {
        name: text('name'),
        isFor: matcherOf(text('name')),
        newName: text('newName'),
        newTag: text('newTag'),
        digest: text('digest'),
        tagSuffix: text('tagSuffix'),
        source: { document: source.document, path: [...source.path, index, written] },
      },
    ];
  });
}

/**
 * Changes the images of all `containers` and `initContainers`, wherever in a resource they stand, of image volumes, and of the fields
 * that `configurations:` name. A CustomResourceDefinition is left alone, and so are ephemeral containers. Says whether there was one to change.
 */
export function changeImages(resource: Resource, change: ImageChange, fieldSpecs: readonly Fields[] = []): boolean {
  if (resource.value.kind === 'CustomResourceDefinition') return false;
  let count = changeContainers(resource.value, change);
  for (const spec of fieldSpecs) {
    if (isMeant(resource.value, spec)) count += changeAt(resource.value, String(spec.path).split('/'), change);
  }
  return count > 0;
}

/** `spec/template/spec/…` and `spec/…` are the paths that kustomize itself configures. */
export const IMAGE_VOLUMES: readonly Fields[] = [
  { path: 'spec/volumes[]/image/reference' },
  { path: 'spec/template/spec/volumes[]/image/reference' },
];

/** These and the next give how many were changed. */
function changeContainers(value: unknown, change: ImageChange): number {
  let count = 0;
  if (Array.isArray(value)) for (const item of value) count += changeContainers(item, change);
  if (!isFields(value)) return count;
  for (const [key, item] of Object.entries(value)) {
    count += changeContainers(item, change);
    if ((key !== 'containers' && key !== 'initContainers') || !Array.isArray(item)) continue;
    for (const container of item) if (isFields(container)) count += changeField(container, 'image', change);
  }
  return count;
}

function isMeant(value: Fields, spec: Fields): boolean {
  const apiVersion = String(value.apiVersion ?? '');
  const slash = apiVersion.indexOf('/');
  return (
    (spec.kind === undefined || spec.kind === value.kind) &&
    (spec.group === undefined || spec.group === (slash < 0 ? '' : apiVersion.slice(0, slash))) &&
    (spec.version === undefined || spec.version === apiVersion.slice(slash + 1))
  );
}

function changeAt(value: unknown, path: readonly string[], change: ImageChange): number {
  const [head = '', ...rest] = path;
  if (!isFields(value)) return 0;
  const isList = head.endsWith('[]');
  const key = isList ? head.slice(0, -2) : head;
  const inner = value[key];
  if (rest.length === 0) return changeField(value, key, change);
  if (!Array.isArray(inner)) return changeAt(inner, rest, change);
  return inner.reduce<number>((count, item) => count + changeAt(item, rest, change), 0);
}

function changeField(holder: Fields, key: string, change: ImageChange): number {
  const image = holder[key];
  if (typeof image !== 'string') return 0;
  const changed = changedImage(image, change);
  if (changed === undefined) return 0;
  if (changed !== image) setFrom(change.source, holder, key)(changed);
  return 1;
}

/** `undefined` where the change is for another image: the whole name must be the same, host and all. */
export function changedImage(image: string, change: ImageChange): string | undefined {
  if (!change.isFor(image)) return undefined;
  const was = splitImage(image);
  const name = change.newName || was.name;
  if (change.newTag !== '' || change.digest !== '') return join(name, change.newTag, change.digest);
  if (change.tagSuffix !== '') return join(name, was.tag + change.tagSuffix, '');
  return join(name, was.tag, was.digest);
}

/** Kustomize uses the name as a pattern. */
function matcherOf(name: string): (image: string) => boolean {
  const matches = nameTest(
    name,
    (pattern) => `^${pattern}(?::[\\w.{}-]*)?(?:@[a-zA-Z0-9]+(?:[.+_-][a-zA-Z0-9]+)*:[\\w.{}-]*)?$`,
  );
  return matches ?? (() => false);
}

function splitImage(image: string): { readonly name: string; readonly tag: string; readonly digest: string } {
  const at = image.indexOf('@');
  const digest = at < 0 ? '' : image.slice(at + 1);
  const tagged = at < 0 ? image : image.slice(0, at);
  const colon = tagged.indexOf(':', Math.max(0, tagged.indexOf('/')));
  return colon < 0
    ? { name: tagged, tag: '', digest }
    : { name: tagged.slice(0, colon), tag: tagged.slice(colon + 1), digest };
}

function join(name: string, tag: string, digest: string): string {
  return `${name}${tag && `:${tag}`}${digest && `@${digest}`}`;
}
