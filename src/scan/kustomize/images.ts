// The `images:` of a kustomization. Semantics: kustomize's api/filters/imagetag and api/internal/image.
import { nameTest } from '../patterns.ts';
import { isFields, type Resource, type ResourceFields, type ResourceOrigin } from './resource.ts';

export interface ImageChange {
  readonly name: string;
  readonly isFor: (image: string) => boolean;
  /** Size of the pattern for the name, in instructions. Matching costs up to this much for each character of an image. */
  readonly size: number;
  readonly newName: string;
  readonly newTag: string;
  readonly digest: string;
  readonly tagSuffix: string;
  /** Where the change is written: its tag, digest, or name. */
  readonly source: ResourceOrigin;
}

export function imageChanges(list: unknown, source: ResourceOrigin): readonly ImageChange[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry, index) => {
    if (!isFields(entry)) return [];
    const text = (key: string): string => (entry[key] === undefined || entry[key] === null ? '' : String(entry[key]));
    if (text('name') === '') return [];
    // kustomize treats the name as a regular expression.
    const pattern = nameTest(text('name'), (name) => `^${name}${END}`);
    const written = ['newTag', 'digest', 'newName', 'tagSuffix'].find((key) => text(key) !== '') ?? 'name';
    return [
      {
        name: text('name'),
        isFor: pattern?.test ?? (() => false),
        size: pattern?.size ?? 0,
        newName: text('newName'),
        newTag: text('newTag'),
        digest: text('digest'),
        tagSuffix: text('tagSuffix'),
        source: { document: source.document, path: [...source.path, index, written] },
      },
    ];
  });
}

/** A field with an image in a resource. */
export interface ImageField {
  readonly holder: ResourceFields;
  readonly key: string;
  /** The number of settings that name the field: kustomize changes it once for each. */
  times: number;
}

/**
 * The images of all `containers` and `initContainers` anywhere in a resource, of image volumes, and of the fields that `configurations:` name.
 * Empty for a CustomResourceDefinition; ephemeral containers are left out. Called once for all changes, since there may be many fields and many changes.
 */
export function imageFieldsOf(resource: Resource, fieldSpecs: readonly ResourceFields[] = []): readonly ImageField[] {
  if (resource.value.kind === 'CustomResourceDefinition') return [];
  const found = new Map<ResourceFields, ImageField[]>();
  const add: AddField = (holder, key) => {
    if (typeof holder[key] !== 'string') return;
    const known = found.get(holder) ?? [];
    found.set(holder, known);
    const same = known.find((field) => field.key === key);
    if (same) same.times++;
    else known.push({ holder, key, times: 1 });
  };
  findInContainers(resource.value, add);
  for (const spec of fieldSpecs) {
    if (isMeant(resource.value, spec)) findAt(resource.value, String(spec.path).split('/'), add);
  }
  return [...found.values()].flat();
}

type AddField = (holder: ResourceFields, key: string) => void;

/** kustomize's built-in paths are `spec/template/spec/…` and `spec/…`. */
export const IMAGE_VOLUMES: readonly ResourceFields[] = [
  { path: 'spec/volumes[]/image/reference' },
  { path: 'spec/template/spec/volumes[]/image/reference' },
];

function findInContainers(value: unknown, add: AddField): void {
  if (Array.isArray(value)) for (const item of value) findInContainers(item, add);
  if (!isFields(value)) return;
  for (const [key, item] of Object.entries(value)) {
    findInContainers(item, add);
    if ((key !== 'containers' && key !== 'initContainers') || !Array.isArray(item)) continue;
    for (const container of item) if (isFields(container)) add(container, 'image');
  }
}

function isMeant(value: ResourceFields, spec: ResourceFields): boolean {
  const apiVersion = String(value.apiVersion ?? '');
  const slash = apiVersion.indexOf('/');
  return (
    (spec.kind === undefined || spec.kind === value.kind) &&
    (spec.group === undefined || spec.group === (slash < 0 ? '' : apiVersion.slice(0, slash))) &&
    (spec.version === undefined || spec.version === apiVersion.slice(slash + 1))
  );
}

function findAt(value: unknown, path: readonly string[], add: AddField): void {
  const [head = '', ...rest] = path;
  if (!isFields(value)) return;
  const key = head.endsWith('[]') ? head.slice(0, -2) : head;
  const inner = value[key];
  if (rest.length === 0) add(value, key);
  else if (Array.isArray(inner)) for (const item of inner) findAt(item, rest, add);
  else findAt(inner, rest, add);
}

/** Returns `undefined` if the change is for another image: the whole name must match, including the host. */
export function changedImage(image: string, change: ImageChange): string | undefined {
  return change.isFor(image) ? changedBy(image, change) : undefined;
}

/** The new image. The change must be for this image. */
export function changedBy(image: string, change: ImageChange): string {
  const was = splitImage(image);
  const name = change.newName || was.name;
  if (change.newTag !== '' || change.digest !== '') return join(name, change.newTag, change.digest);
  if (change.tagSuffix !== '') return join(name, was.tag + change.tagSuffix, '');
  return join(name, was.tag, was.digest);
}

const END = '(?::[\\w.{}-]*)?(?:@[a-zA-Z0-9]+(?:[.+_-][a-zA-Z0-9]+)*:[\\w.{}-]*)?$';
/** Matches what may follow the name of an image. */
export const TAG_AND_DIGEST = new RegExp(`^${END}`);

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
