// The services of Compose files: merges layers and extended services, and finds the images that they use.
// Format: github.com/compose-spec/compose-spec, docs.docker.com/reference/compose-file/merge.
import type { Finding, Path, ScannedDocument, Warning } from '../contract.ts';
import { asFields, type Fields, fieldOf, listOf, scalarOf, textOf } from '../fields.ts';
import { maybe, type Spot, unresolved, used } from '../findings.ts';
import { judgeImage } from '../image-text.ts';
import { resolveIn } from '../tree-paths.ts';
import { interpolate, type Variables } from '../variables.ts';

export const RULE = 'compose';
/** A longer chain of `extends` is taken for a circle. */
const MAX_EXTENDS = 20;
/** Lists that a later layer extends instead of replacing. */
const ADDED: ReadonlySet<string> = new Set(['profiles', 'volumes']);

export interface ServiceSurroundings {
  readonly variables: Variables;
  /** The files that `extends` names, by path. */
  readonly others: ReadonlyMap<string, ScannedDocument>;
  /** The active profiles. */
  readonly profiles: ReadonlySet<string>;
  /** Why possibly none of the images is in use. */
  readonly doubt?: string;
}

/** Whether this is a Compose file with services: at least one has `image`, `build` or `extends`. Before version 2, services were at the top level. */
export function isCompose({ value }: ScannedDocument): boolean {
  if (fieldOf(value, 'apiVersion') !== undefined || fieldOf(value, 'kind') !== undefined) return false;
  const services = Object.values(servicesOf(value));
  return services.some((service) => ['image', 'build', 'extends'].some((name) => fieldOf(service, name) !== undefined));
}

export function servicesOf(value: unknown): Fields {
  return asFields(fieldOf(value, 'services')) ?? asFields(value) ?? {};
}

function pathTo(document: ScannedDocument, ...path: Path): Path {
  return asFields(fieldOf(document.value, 'services')) ? ['services', ...path] : path;
}

/** The path of the file with the service that this service extends. */
export function extendedFile(document: ScannedDocument, service: unknown, variables: Variables): string | undefined {
  const named = textOf(fieldOf(service, 'extends'), 'file');
  return named === undefined ? undefined : resolveIn(directoryOf(document.file), interpolate(named, variables).text);
}

export function directoryOf(file: string): string {
  return file.slice(0, Math.max(0, file.lastIndexOf('/')));
}

/** The images of the services of a file with its overrides, and the models that they name. */
export function* findInServices(
  layers: readonly ScannedDocument[],
  around: ServiceSurroundings,
): Iterable<Finding | Warning> {
  const valid = layers.slice(
    Math.max(
      0,
      layers.findLastIndex((document) => tagOf(document, ['services']) !== ''),
    ),
  );
  const byName = new Map<string, ScannedDocument[]>();
  for (const document of valid) {
    for (const name of Object.keys(servicesOf(document.value))) {
      const known = byName.get(name);
      if (known) known.push(document);
      else byName.set(name, [document]);
    }
  }
  for (const [name, documents] of byName) {
    const service = serviceOf(documents, name, around);
    yield* imageOf(service, around);
    yield* imageVolumes(service, around);
  }
  for (const document of layers) yield* modelsOf(document, around);
}

interface Entry {
  readonly value: unknown;
  readonly document: ScannedDocument;
  readonly path: Path;
}

/** The fields of a service, each with its position. A list that layers extend has several entries. */
type Service = ReadonlyMap<string, readonly Entry[]>;

function serviceOf(layers: readonly ScannedDocument[], name: string, around: ServiceSurroundings, depth = 0): Service {
  const service = new Map<string, readonly Entry[]>();
  for (const document of layers) {
    const value = servicesOf(document.value)[name];
    if (tagOf(document, pathTo(document, name)) !== '') service.clear();
    const fields = asFields(value);
    if (!fields) continue;
    for (const [key, entries] of extendedBy(document, fields, { around, depth })) {
      // These two fields are not inherited from the extended service.
      if (key !== 'depends_on' && key !== 'profiles') service.set(key, entries);
    }
    for (const [key, written] of Object.entries(fields)) {
      const path = pathTo(document, name, key);
      const tag = tagOf(document, path);
      const known = service.get(key);
      if (tag === '!reset') service.delete(key);
      else if (tag === '!override' || !known) service.set(key, [{ value: written, document, path }]);
      else if (written !== null)
        service.set(key, [...(ADDED.has(key) ? known : []), { value: written, document, path }]);
    }
  }
  return service;
}

/** The files that the services of a project extend, directly or through others. */
export async function othersOf(
  layers: readonly ScannedDocument[],
  variables: Variables,
  open: (file: string) => Promise<ScannedDocument | undefined>,
): Promise<{ readonly documents: ReadonlyMap<string, ScannedDocument>; readonly warnings: readonly Warning[] }> {
  const documents = new Map<string, ScannedDocument>();
  const warnings: Warning[] = [];
  for (const layer of layers) {
    for (const [name, service] of Object.entries(servicesOf(layer.value))) {
      let at: { readonly document: ScannedDocument; readonly service: unknown } | undefined = {
        document: layer,
        service,
      };
      for (let depth = 0; at !== undefined; depth++) {
        const extended = fieldOf(at.service, 'extends');
        const base = typeof extended === 'string' ? extended : textOf(extended, 'service');
        if (base === undefined) break;
        if (depth > MAX_EXTENDS) {
          const text = `the service [${name}] extends others in circles, or more than ${MAX_EXTENDS} deep: its image may not be found`;
          warnings.push({ file: layer.file, line: layer.lineOf(pathTo(layer, name)), text });
          break;
        }
        const isSame: boolean = textOf(extended, 'file') === undefined;
        const file: string | undefined = isSame ? at.document.file : extendedFile(at.document, at.service, variables);
        const document: ScannedDocument | undefined =
          file === at.document.file ? at.document : file === undefined ? undefined : await open(file);
        if (document && document !== at.document) documents.set(document.file, document);
        at = document && { document, service: servicesOf(document.value)[base] };
      }
    }
  }
  return { documents, warnings };
}

/** Whether a document contains one of the two tags. Cached: searching the whole text once for each field would take quadratic time. */
const tagged = new WeakMap<ScannedDocument, boolean>();

/** `!reset` removes what earlier layers say, `!override` replaces it. */
function tagOf(document: ScannedDocument, path: Path): string {
  const hasTags = tagged.get(document) ?? /!reset|!override/.test(document.source ?? '');
  tagged.set(document, hasTags);
  if (!hasTags) return '';
  const tag = document.tagOf?.(path) ?? '';
  return tag === '!reset' || tag === '!override' ? tag : '';
}

function extendedBy(
  document: ScannedDocument,
  fields: Fields,
  { around, depth }: { readonly around: ServiceSurroundings; readonly depth: number },
): Service {
  const { extends: extended } = fields;
  const name = typeof extended === 'string' ? extended : textOf(extended, 'service');
  if (name === undefined || depth > MAX_EXTENDS) return new Map();
  const file =
    textOf(extended, 'file') === undefined ? document.file : extendedFile(document, fields, around.variables);
  const other = file === document.file ? document : around.others.get(file ?? '');
  return other ? serviceOf([other], name, around, depth + 1) : new Map();
}

function* imageOf(service: Service, around: ServiceSurroundings): Iterable<Finding | Warning> {
  const image = service.get('image')?.at(-1);
  if (!image || typeof image.value !== 'string') return;
  const doubt = doubtOf(service, interpolate(image.value, around.variables).text, around) ?? around.doubt;
  yield* judged(image.value, { ...image, rule: RULE }, { around, doubt });
}

function doubtOf(
  service: Service,
  image: string,
  { profiles: active, variables }: ServiceSurroundings,
): string | undefined {
  const given = (name: string): unknown => service.get(name)?.at(-1)?.value;
  const profiles = (service.get('profiles') ?? [])
    .flatMap(({ value }) => listOf({ value }, 'value'))
    .map((profile) => interpolate(String(profile), variables).text);
  if (given('build') !== undefined && given('build') !== null) return 'built locally';
  const isStarted = profiles.length === 0 || active.has('*') || profiles.some((profile) => active.has(profile));
  if (!isStarted) return `only with the profile ${profiles.join(' or ')}`;
  const isLocal = given('pull_policy') === 'never' || given('pull_policy') === 'build';
  // An image with a registry host must have been pulled before, even if Compose itself never pulls it.
  return isLocal && !/^(?:[\w-]+\.)+[\w-]+(?::\d+)?\//.test(image) ? 'never pulled' : undefined;
}

/** The images in `volumes: [{type: image, source: REFERENCE}]`. */
function* imageVolumes(service: Service, around: ServiceSurroundings): Iterable<Finding | Warning> {
  for (const volumes of service.get('volumes') ?? []) {
    for (const [index, volume] of listOf(volumes, 'value').entries()) {
      const source = scalarOf(volume, 'source');
      if (textOf(volume, 'type') !== 'image' || source === undefined) continue;
      const spot = { document: volumes.document, path: [...volumes.path, index, 'source'], rule: RULE };
      yield* judged(source, spot, { around, doubt: around.doubt });
    }
  }
}

/** The models in `models: {llm: {model: ai/x}}`: artifacts in registries, pulled by Docker Model Runner. */
function* modelsOf(document: ScannedDocument, around: ServiceSurroundings): Iterable<Finding | Warning> {
  for (const [name, model] of Object.entries(asFields(fieldOf(document.value, 'models')) ?? {})) {
    const found = judgeImage(interpolate(textOf(model, 'model') ?? '', around.variables).text);
    const spot = { document, path: ['models', name, 'model'], rule: RULE };
    if (found.kind === 'image') yield maybe(found.image, "a model: Docker's runner of models pulls it", spot);
  }
}

function* judged(
  text: string,
  spot: Spot,
  { around, doubt }: { readonly around: ServiceSurroundings; readonly doubt: string | undefined },
): Iterable<Finding | Warning> {
  const { text: filled, missing } = interpolate(text, around.variables);
  const found = judgeImage(filled);
  const unset = missing.length > 0 ? `depends on ${missing.join(', ')}, which nothing sets` : undefined;
  if (found.kind !== 'image') {
    if (doubt !== 'built locally')
      yield unresolved(text, unset ? `the image ${unset}` : 'not an image reference', spot);
  } else if (doubt ?? unset) yield maybe(found.image, doubt ?? unset ?? '', spot);
  else yield used(found.image, spot);
}
