// Which Compose files form a project: the files that `.env` names, overrides, included and extended files. A file belongs where another one refers to it.
// Format: docs.docker.com/reference/compose-file/include, docs.docker.com/compose/how-tos/environment-variables/envvars.
import type { FileTree, ScannedDocument } from '../contract.ts';
import { fieldOf } from '../fields.ts';
import { resolveIn } from '../tree-paths.ts';
import { NO_VARIABLES, type Variables } from '../variables.ts';
import { readEnvironment } from './environment-file.ts';
import { includesOf } from './includes.ts';
import type { Open, Project } from './project.ts';
import { directoryOf, extendedFile, servicesOf } from './services.ts';

const OVERRIDE = /^(.*compose)\.override(\.ya?ml)$/i;

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

/** The projects that these files form. `named` are the files to which others refer: they are not projects of their own. */
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
  // Few files refer to others through variables. Without variables the references are the same for all environments.
  if (await addNamed(named, files, { open, variables: NO_VARIABLES })) {
    named.clear();
    const byVariables = Map.groupBy(files, (file) => settings.get(directoryOf(file)) ?? NO_VARIABLES);
    for (const [variables, some] of byVariables) await addNamed(named, some, { open, variables });
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

/** The variables that the `.env` file of a directory sets. */
export async function environmentIn(tree: FileTree, directory: string): Promise<Variables> {
  const file = resolveIn(directory, '.env') ?? '';
  return tree.has(file) ? readEnvironment(await tree.read(file)) : NO_VARIABLES;
}

/** The files in `COMPOSE_FILE=a.yaml:b.yaml`. */
function composeFiles(directory: string, variables: Variables): readonly string[] {
  const list = variables.get('COMPOSE_FILE') ?? '';
  const separator = variables.get('COMPOSE_PATH_SEPARATOR') || ':';
  return list.split(separator).flatMap((path) => (path.trim() === '' ? [] : (resolveIn(directory, path.trim()) ?? [])));
}

/** The base file of an override file: the same name, with `.yaml` or `.yml`. */
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

/**
 * Adds the files that `files` include and extend, transitively, to `named`. A file that only refers to itself through others is not added. Each file is visited
 * for at most two starting files: every file it refers to differs from one of them, so more visits add nothing. Returns whether a reference contains variables.
 */
async function addNamed(
  named: Set<string>,
  files: readonly string[],
  { open, variables }: { readonly open: Open; readonly variables: Variables },
): Promise<boolean> {
  let hasVariables = false;
  const edges = new Map<string, readonly string[]>();
  const leading = new Map<string, string[]>();
  const pending = files.map((file) => ({ file, from: file }));
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { file, from } = next;
    const known = leading.get(file) ?? [];
    leading.set(file, known);
    if (known.length > 1 || known.includes(from)) continue;
    known.push(from);
    const document = edges.has(file) ? undefined : await open(file);
    if (document && namesByVariables(document)) hasVariables = true;
    const others = edges.get(file) ?? (document ? namedBy(document, variables) : []);
    edges.set(file, others);
    for (const other of others) {
      if (other === from) continue;
      named.add(other);
      pending.push({ file: other, from });
    }
  }
  return hasVariables;
}

function namedBy(document: ScannedDocument, variables: Variables): readonly string[] {
  const includes = includesOf(document, variables).flatMap(({ paths }) =>
    paths.map((path) => resolveIn(directoryOf(document.file), path)),
  );
  const extended = Object.values(servicesOf(document.value)).map((service) =>
    extendedFile(document, service, variables),
  );
  return [...new Set([...includes, ...extended])].filter((other) => other !== undefined);
}

function namesByVariables(document: ScannedDocument): boolean {
  const extended = Object.values(servicesOf(document.value)).map((service) => fieldOf(service, 'extends'));
  return [fieldOf(document.value, 'include'), ...extended].some((value) => JSON.stringify(value)?.includes('$'));
}
