// The rule for Docker Compose projects and swarm stacks: the images of their services. Format: github.com/compose-spec/compose-spec.
import { dirname } from 'node:path/posix';
import { readEnvironment } from './compose-variables.ts';
import type { DocumentRule, FileTree, Finding, Path, ScannedDocument, TreeRule, Warning } from './contract.ts';
import { asFields, type Fields, fieldOf, listOf, scalarOf, textOf } from './fields.ts';
import { maybe, type Spot, unresolved, used } from './findings.ts';
import { judgeImage } from './image-text.ts';
import { interpolate } from './variables.ts';

const RULE = 'compose';
/** `compose.yaml`, `docker-compose.prod.yml`, `stack.yml`, `web.compose.yaml`. */
const FILE_NAME = /(?:^|[/._-])(?:compose|stack)(?:[._-][^/]*)?\.ya?ml$/i;
const OVERRIDE = /^(.*compose)\.override(\.ya?ml)$/i;

/** Projects by the names of their files: with the `.env` beside them, the override file, and what they extend. */
export const composeProjects: TreeRule = {
  name: RULE,
  find: async (tree) => {
    const projects = new Map<string, ScannedDocument>();
    for (const file of tree.files.filter((name) => FILE_NAME.test(name))) {
      const [document] = await tree.documents(file);
      if (document && isCompose(document)) projects.set(file, document);
    }
    const findings: Finding[] = [];
    const warnings: Warning[] = [];
    const parts = partsOfOthers(projects);
    for (const [file, document] of projects) {
      if (parts.has(file)) continue;
      const layers = [document, ...overridesOf(file, projects)];
      const variables = await variablesOf(tree, file);
      for (const found of findInServices(layers, { variables, others: projects })) {
        if ('image' in found) findings.push(found);
        else warnings.push(found);
      }
    }
    return { findings, warnings, claimed: new Set(projects.keys()) };
  },
  findNamed: async () => undefined,
};

/** A project under another file name: what its own document says. */
export const composeFile: DocumentRule = {
  name: RULE,
  matches: (document) => asFields(fieldOf(document.value, 'services')) !== undefined && isCompose(document),
  find: (document) => findInServices([document], { variables: new Map(), others: new Map() }),
};

/** Services are mappings of which one at least has an image or is built; before version 2 they stood at the top. */
function isCompose({ value }: ScannedDocument): boolean {
  if (fieldOf(value, 'apiVersion') !== undefined || fieldOf(value, 'kind') !== undefined) return false;
  const services = Object.values(servicesOf(value));
  return services.some((service) => ['image', 'build', 'extends'].some((name) => fieldOf(service, name) !== undefined));
}

function servicesOf(value: unknown): Fields {
  return asFields(fieldOf(value, 'services')) ?? asFields(value) ?? {};
}

function pathTo(document: ScannedDocument, ...path: Path): Path {
  return asFields(fieldOf(document.value, 'services')) ? ['services', ...path] : path;
}

/** Files that are only there for others: what is extended from another file, and overrides of a file that is there. */
function partsOfOthers(projects: ReadonlyMap<string, ScannedDocument>): ReadonlySet<string> {
  const parts = new Set<string>();
  for (const [file, document] of projects) {
    const base = baseOf(file);
    if (base !== undefined && projects.has(base)) parts.add(file);
    for (const service of Object.values(servicesOf(document.value))) {
      const extended = textOf(fieldOf(service, 'extends'), 'file');
      const other = extended === undefined ? undefined : beside(file, extended);
      if (other !== undefined && other !== file) parts.add(other);
    }
  }
  return parts;
}

function baseOf(file: string): string | undefined {
  const match = OVERRIDE.exec(file);
  return match ? `${match[1]}${match[2]}` : undefined;
}

function overridesOf(file: string, projects: ReadonlyMap<string, ScannedDocument>): readonly ScannedDocument[] {
  return [...projects].filter(([other]) => baseOf(other) === file).map(([, document]) => document);
}

/** `path` as `file` names it; `undefined` for what lies outside the tree. */
function beside(file: string, path: string): string | undefined {
  const parts = dirname(file)
    .split('/')
    .filter((part) => part !== '.');
  for (const part of path.split('/')) {
    if (part === '..' && parts.pop() === undefined) return undefined;
    if (part !== '..' && part !== '.' && part !== '') parts.push(part);
  }
  return path.startsWith('/') ? undefined : parts.join('/');
}

async function variablesOf(tree: FileTree, file: string): Promise<ReadonlyMap<string, string>> {
  const environment = beside(file, '.env');
  return environment !== undefined && tree.has(environment) ? readEnvironment(await tree.read(environment)) : new Map();
}

interface Surroundings {
  readonly variables: ReadonlyMap<string, string>;
  /** Other projects' files, for `extends`. */
  readonly others: ReadonlyMap<string, ScannedDocument>;
}

/** The services of a file and its overrides: the last layer that says something of a field decides. */
function* findInServices(layers: readonly ScannedDocument[], around: Surroundings): Iterable<Finding | Warning> {
  const names = new Set(layers.flatMap(({ value }) => Object.keys(servicesOf(value))));
  for (const name of names) {
    const service = serviceOf(layers, name, around);
    yield* imageOf(service, around);
    yield* imageVolumes(service, around);
  }
}

/** A service with where each of its fields is written. */
type Service = ReadonlyMap<
  string,
  { readonly value: unknown; readonly document: ScannedDocument; readonly path: Path }
>;

/** Chains of `extends` longer than this go in circles. */
const MAX_EXTENDS = 20;

function serviceOf(layers: readonly ScannedDocument[], name: string, around: Surroundings, depth = 0): Service {
  const service = new Map<string, { value: unknown; document: ScannedDocument; path: Path }>();
  for (const document of layers) {
    const fields = asFields(servicesOf(document.value)[name]);
    if (!fields) continue;
    for (const [key, one] of extendedOf(document, fields, { around, depth })) {
      // A service is not started with its base, nor under its base's profiles.
      if (key !== 'depends_on' && key !== 'profiles') service.set(key, one);
    }
    for (const [key, value] of Object.entries(fields)) {
      service.set(key, { value, document, path: pathTo(document, name, key) });
    }
  }
  return service;
}

function extendedOf(
  document: ScannedDocument,
  fields: Fields,
  { around, depth }: { readonly around: Surroundings; readonly depth: number },
): Service {
  const { extends: extended } = fields;
  const name = typeof extended === 'string' ? extended : textOf(extended, 'service');
  if (name === undefined || depth > MAX_EXTENDS) return new Map();
  const named = textOf(extended, 'file');
  const file = named === undefined ? document.file : beside(document.file, named);
  const other = file === document.file ? document : around.others.get(file ?? '');
  return other ? serviceOf([other], name, around, depth + 1) : new Map();
}

function* imageOf(service: Service, around: Surroundings): Iterable<Finding | Warning> {
  const image = service.get('image');
  if (!image || typeof image.value !== 'string') return;
  const doubt = doubtOf(service, interpolate(image.value, around.variables).text);
  yield* judged(image.value, { ...image, rule: RULE }, { around, doubt });
}

function doubtOf(service: Service, image: string): string | undefined {
  const given = (name: string): unknown => service.get(name)?.value;
  const profiles = listOf({ profiles: given('profiles') }, 'profiles').map(String);
  if (given('build') !== undefined && given('build') !== null) return 'built locally';
  if (profiles.length > 0) return `only with the profile ${profiles.join(' or ')}`;
  const isLocal = given('pull_policy') === 'never' || given('pull_policy') === 'build';
  // What comes from a registry has to be fetched before, all the more where Compose itself never does.
  return isLocal && !/^(?:[\w-]+\.)+[\w-]+(?::\d+)?\//.test(image) ? 'never pulled' : undefined;
}

/** `volumes: [{type: image, source: REFERENCE}]`. */
function* imageVolumes(service: Service, around: Surroundings): Iterable<Finding | Warning> {
  const volumes = service.get('volumes');
  if (!volumes || !Array.isArray(volumes.value)) return;
  for (const [index, volume] of volumes.value.entries()) {
    const source = scalarOf(volume, 'source');
    if (textOf(volume, 'type') !== 'image' || source === undefined) continue;
    const spot = { document: volumes.document, path: [...volumes.path, index, 'source'], rule: RULE };
    yield* judged(source, spot, { around, doubt: undefined });
  }
}

function* judged(
  text: string,
  spot: Spot,
  { around, doubt }: { readonly around: Surroundings; readonly doubt: string | undefined },
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
