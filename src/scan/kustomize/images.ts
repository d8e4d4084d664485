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

/** Where an image stands in a resource. */
export interface ImageField {
  readonly holder: Fields;
  readonly key: string;
}

/**
 * The images of all `containers` and `initContainers`, wherever in a resource they stand, of image volumes, and of the fields that `configurations:` name.
 * A CustomResourceDefinition has none, and ephemeral containers are left alone. Asked for once, for all changes: there may be many of both.
 */
export function imageFields(resource: Resource, fieldSpecs: readonly Fields[] = []): readonly ImageField[] {
  if (resource.value.kind === 'CustomResourceDefinition') return [];
  const found: ImageField[] = [];
  findInContainers(resource.value, found);
  for (const spec of fieldSpecs) {
    if (isMeant(resource.value, spec)) findAt(resource.value, String(spec.path).split('/'), found);
  }
  return found;
}

/** Says whether there was one to change. */
export function changeImages(fields: readonly ImageField[], change: ImageChange): boolean {
  let isThere = false;
  for (const { holder, key } of fields) {
    const image = holder[key];
    const changed = typeof image === 'string' ? changedImage(image, change) : undefined;
    if (changed === undefined) continue;
    isThere = true;
    if (changed !== image) setFrom(change.source, holder, key)(changed);
  }
  return isThere;
}

/** `spec/template/spec/…` and `spec/…` are the paths that kustomize itself configures. */
export const IMAGE_VOLUMES: readonly Fields[] = [
  { path: 'spec/volumes[]/image/reference' },
  { path: 'spec/template/spec/volumes[]/image/reference' },
];

function findInContainers(value: unknown, found: ImageField[]): void {
  if (Array.isArray(value)) for (const item of value) findInContainers(item, found);
  if (!isFields(value)) return;
  for (const [key, item] of Object.entries(value)) {
    findInContainers(item, found);
    if ((key !== 'containers' && key !== 'initContainers') || !Array.isArray(item)) continue;
    for (const container of item) if (isFields(container)) addField(container, 'image', found);
  }
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

function findAt(value: unknown, path: readonly string[], found: ImageField[]): void {
  const [head = '', ...rest] = path;
  if (!isFields(value)) return;
  const key = head.endsWith('[]') ? head.slice(0, -2) : head;
  const inner = value[key];
  if (rest.length === 0) addField(value, key, found);
  else if (Array.isArray(inner)) for (const item of inner) findAt(item, rest, found);
  else findAt(inner, rest, found);
}

function addField(holder: Fields, key: string, found: ImageField[]): void {
  if (typeof holder[key] === 'string') found.push({ holder, key });
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
