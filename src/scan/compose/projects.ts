// Which Compose files belong together: what `.env` names, overrides, what they include and extend. Files are known by what names them, not by their names.
// Format: docs.docker.com/reference/compose-file/include, docs.docker.com/compose/how-tos/environment-variables/envvars.
import type { FileTree, Finding, ScannedDocument, Warning } from '../contract.ts';
import { fieldOf, listOf, textOf } from '../fields.ts';
import { resolveIn } from '../tree-paths.ts';
import { interpolate, NO_VARIABLES, type Variables } from '../variables.ts';
import { readEnvironment } from './environment-file.ts';
import { directoryOf, extendedFile, findInServices, servicesOf } from './services.ts';

/** A project that includes more than this, each with other variables, goes in circles. */
const MAX_INCLUDES = 1000;
const OVERRIDE = /^(.*compose)\.override(\.ya?ml)$/i;

export interface Project {
  /** The first is the base, the others lie over it. */
  readonly files: readonly string[];
  readonly directory: string;
  readonly variables: Variables;
  readonly doubt?: string;
}

/** The document of a Compose file, whatever its name is. */
export type Open = (file: string) => Promise<ScannedDocument | undefined>;

export function createOpen(tree: FileTree): Open {
  const known = new Map<string, Promise<ScannedDocument | undefined>>();
  return (file) => {
    const opened =
      known.get(file) ??
      (tree.has(file) ? tree.documents(file).then(([document]) => document) : Promise.resolve(undefined));
    known.set(file, opened);
    return opened;
  };
}

/** The projects that these files make. `named` are all files that others name: they are no projects of their own. */
export async function projectsOf(
  tree: FileTree,
  files: readonly string[],
  open: Open,
): Promise<{ readonly projects: readonly Project[]; readonly named: ReadonlySet<string> }> {
  const projects: Project[] = [];
  const named = new Set<string>();
  const settings = new Map<string, Variables>();
  for (const directory of new Set(files.map(directoryOf)))
    settings.set(directory, await environmentIn(tree, directory));
  const all = new Set(files);
  for (const file of files) {
    for (const other of await namedFrom(file, { open, variables: settings.get(directoryOf(file)) ?? NO_VARIABLES }))
      named.add(other);
  }
  const overrides = Map.groupBy(files, (file) => baseOf(file, all));
  for (const [base, list] of overrides) if (base !== undefined) for (const file of list) named.add(file);
  const chosen = new Map<string, readonly string[]>();
  for (const [directory, variables] of settings) {
    const list = composeFiles(directory, variables).filter((file) => tree.has(file));
    if (list.length === 0) continue;
    chosen.set(directory, list);
    projects.push({ files: list, directory, variables });
    for (const file of list) named.add(file);
  }
  for (const file of files) {
    if (named.has(file)) continue;
    const directory = directoryOf(file);
    const doubt = chosen.has(directory)
      ? { doubt: `COMPOSE_FILE in [${resolveIn(directory, '.env')}] names other files` }
      : {};
    projects.push({
      files: [file, ...(overrides.get(file) ?? [])],
      directory,
      variables: settings.get(directory) ?? NO_VARIABLES,
      ...doubt,
    });
  }
  return { projects, named };
}

/** What the `.env` of a directory sets. */
export async function environmentIn(tree: FileTree, directory: string): Promise<Variables> {
  const file = resolveIn(directory, '.env') ?? '';
  return tree.has(file) ? readEnvironment(await tree.read(file)) : NO_VARIABLES;
}

/** `COMPOSE_FILE=a.yaml:b.yaml`. */
function composeFiles(directory: string, variables: Variables): readonly string[] {
  const list = variables.get('COMPOSE_FILE') ?? '';
  const separator = variables.get('COMPOSE_PATH_SEPARATOR') || ':';
  return list.split(separator).flatMap((path) => (path.trim() === '' ? [] : (resolveIn(directory, path.trim()) ?? [])));
}

/** The file that an override is for: of the same name, with either ending. */
function baseOf(file: string, all: ReadonlySet<string>): string | undefined {
  const match = OVERRIDE.exec(file);
  if (!match) return undefined;
  const stem = match[1] as string;
  const names = [match[2] as string, '.yaml', '.yml'].map((end) => stem + end);
  const other = stem.endsWith('docker-compose')
    ? stem.replace(/docker-compose$/, 'compose')
    : stem.replace(/compose$/, 'docker-compose');
  return [...names, `${other}.yaml`, `${other}.yml`].find((name) => all.has(name));
}

interface Reading {
  readonly open: Open;
  readonly variables: Variables;
}

/** What a file includes and extends, and what those do. */
async function namedFrom(file: string, { open, variables }: Reading): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const pending = [file];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const document = await open(next);
    if (!document) continue;
    const includes = includesOf(document, variables).flatMap(({ paths }) =>
      paths.map((path) => resolveIn(directoryOf(document.file), path)),
    );
    const extended = Object.values(servicesOf(document.value)).map((service) =>
      extendedFile(document, service, variables),
    );
    for (const other of [...includes, ...extended]) {
      if (other === undefined || other === file || found.has(other)) continue;
      found.add(other);
      pending.push(other);
    }
  }
  return found;
}

interface Include {
  readonly paths: readonly string[];
  readonly directory: string | undefined;
  readonly environments: readonly string[] | undefined;
  readonly index: number;
}

/** Both forms: a path, and `{path, project_directory, env_file}`. */
function includesOf({ value }: ScannedDocument, variables: Variables): readonly Include[] {
  const texts = (one: unknown): readonly string[] =>
    (Array.isArray(one) ? one : [one]).flatMap((text) =>
      typeof text === 'string' ? [interpolate(text, variables).text] : [],
    );
  return listOf(value, 'include').map((entry, index) => {
    if (typeof entry === 'string') return { paths: texts(entry), directory: undefined, environments: undefined, index };
    const environments = fieldOf(entry, 'env_file');
    const directory = textOf(entry, 'project_directory');
    return {
      paths: texts(fieldOf(entry, 'path')),
      directory: directory === undefined ? undefined : interpolate(directory, variables).text,
      environments: environments === undefined ? undefined : texts(environments),
      index,
    };
  });
}

/** Where what is found goes. */
interface Harvest {
  readonly findings: Finding[];
  readonly warnings: Warning[];
  /** Files that were looked at. */
  readonly claimed: Set<string>;
}

/** What a project uses, with all that it includes; what is included by several is looked at once. */
export async function findInProject(
  tree: FileTree,
  project: Project,
  into: Harvest & { readonly open: Open },
): Promise<void> {
  const pending = [project];
  const known = new Set([identityOf(project)]);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const included of await findInOne(tree, next, into)) {
      const identity = identityOf(included);
      if (known.has(identity)) continue;
      if (known.size > MAX_INCLUDES) {
        into.warnings.push({ file: project.files[0] ?? '', text: `includes more than ${MAX_INCLUDES} projects` });
        return;
      }
      known.add(identity);
      pending.push(included);
    }
  }
}

/** Two of one identity use the same images. */
function identityOf({ files, directory, variables }: Project): string {
  return JSON.stringify([files, directory, [...variables].sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** What the files of a project use. Returns the projects that they include. */
async function findInOne(
  tree: FileTree,
  project: Project,
  into: Harvest & { readonly open: Open },
): Promise<readonly Project[]> {
  const { open, claimed } = into;
  const layers: ScannedDocument[] = [];
  for (const file of project.files) {
    const document = await open(file);
    claimed.add(file);
    if (document) layers.push(document);
  }
  const others = new Map<string, ScannedDocument>();
  for (const { file } of layers) {
    for (const other of await namedFrom(file, { open, variables: project.variables })) {
      const document = await open(other);
      claimed.add(other);
      if (document) others.set(other, document);
    }
  }
  const profiles = new Set(
    (project.variables.get('COMPOSE_PROFILES') ?? '')
      .split(',')
      .map((profile) => profile.trim())
      .filter(Boolean),
  );
  const around = {
    variables: project.variables,
    others,
    profiles,
    ...(project.doubt !== undefined && { doubt: project.doubt }),
  };
  for (const found of findInServices(layers, around)) {
    if ('image' in found) into.findings.push(found);
    else into.warnings.push(found);
  }
  const all: Project[] = [];
  for (const document of layers) {
    for (const include of includesOf(document, project.variables)) {
      const included = await includedProject(tree, { document, include, project }, into);
      if (included) all.push(included);
    }
  }
  return all;
}

/** The variables of who includes outweigh those of the included project's own files. */
async function includedProject(
  tree: FileTree,
  {
    document,
    include,
    project,
  }: { readonly document: ScannedDocument; readonly include: Include; readonly project: Project },
  { warnings }: Harvest,
): Promise<Project | undefined> {
  const beside = directoryOf(document.file);
  const files: string[] = [];
  for (const path of include.paths) {
    const file = [beside, project.directory]
      .map((directory) => resolveIn(directory, path))
      .find((one) => one !== undefined && tree.has(one));
    if (file !== undefined) files.push(file);
    else {
      const why = /^[a-z]+:\/\/|^git@|\.git(?:#|$)/.test(path) ? 'is elsewhere and not fetched' : 'is not here';
      const line = document.lineOf(['include', include.index]);
      warnings.push({ file: document.file, line, text: `[${path}] ${why}: its images are not found` });
    }
  }
  const [first] = files;
  if (first === undefined) return undefined;
  const directory = include.directory === undefined ? directoryOf(first) : (resolveIn(beside, include.directory) ?? '');
  const own = new Map<string, string>(include.environments ? [] : await environmentIn(tree, directory));
  for (const name of include.environments ?? []) {
    const file = resolveIn(beside, name);
    if (file === undefined || !tree.has(file)) continue;
    for (const [key, value] of readEnvironment(await tree.read(file))) own.set(key, value);
  }
  const variables = new Map([...own, ...project.variables]);
  return { files, directory, variables, ...(project.doubt !== undefined && { doubt: project.doubt }) };
}
