// `include:` of a Compose file, and the projects that it names. Format: docs.docker.com/reference/compose-file/include.
import { addAll } from '../../oci/add-all.ts';
import type { FileTree, ScannedDocument, Warning } from '../contract.ts';
import { fieldOf, listOf, textOf } from '../fields.ts';
import { resolveIn } from '../tree-paths.ts';
import { interpolate, NO_VARIABLES, type Variables } from '../variables.ts';
import { readEnvironment } from './environment-file.ts';
import type { Project } from './project.ts';
import { directoryOf } from './services.ts';

export interface Include {
  readonly paths: readonly string[];
  readonly directory: string | undefined;
  readonly environments: readonly string[] | undefined;
  readonly index: number;
}

/** Reads both forms: a path, and `{path, project_directory, env_file}`. */
export function includesOf({ value }: ScannedDocument, variables: Variables): readonly Include[] {
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

/** An included project, or a warning that says why there is none. */
export type Named = Project | Warning;

/**
 * The projects that the files of a project include. Variables of the including project outweigh those of the included project's own files. Variables that are
 * derived in the same way are one object, so that equal projects can be recognised.
 */
export function includedProjects(
  tree: FileTree,
): (layers: readonly ScannedDocument[], project: Project) => Promise<readonly Named[]> {
  const environments = new Map<string, Promise<Variables>>();
  const environment = (file: string | undefined): Promise<Variables> => {
    if (file === undefined || !tree.has(file)) return Promise.resolve(NO_VARIABLES);
    const known = environments.get(file) ?? tree.read(file).then(readEnvironment);
    environments.set(file, known);
    return known;
  };
  const merged = new WeakMap<Variables, Map<string, Variables>>();
  /** The variables of the files, where later files outweigh earlier ones and `given` outweighs all files. */
  const variablesOf = async (files: readonly (string | undefined)[], given: Variables): Promise<Variables> => {
    const known = merged.get(given) ?? new Map<string, Variables>();
    merged.set(given, known);
    const key = JSON.stringify(files);
    const before = known.get(key);
    if (before) return before;
    const own = new Map<string, string>();
    for (const file of files) for (const [name, value] of await environment(file)) own.set(name, value);
    const adds = [...own.keys()].some((name) => !given.has(name));
    const variables = adds ? new Map([...own, ...given]) : given;
    known.set(key, variables);
    return variables;
  };

  const includedProject = async (document: ScannedDocument, include: Include, project: Project): Promise<Named[]> => {
    const beside = directoryOf(document.file);
    const files: string[] = [];
    const found: Named[] = [];
    for (const path of include.paths) {
      const file = [beside, project.directory]
        .map((directory) => resolveIn(directory, path))
        .find((one) => one !== undefined && tree.has(one));
      if (file !== undefined) files.push(file);
      else {
        const why = /^[a-z]+:\/\/|^git@|\.git(?:#|$)/.test(path) ? 'is elsewhere and not fetched' : 'is not here';
        const line = document.lineOf(['include', include.index]);
        found.push({ file: document.file, line, text: `[${path}] ${why}: its images are not found` });
      }
    }
    const [first] = files;
    if (first === undefined) return found;
    const directory =
      include.directory === undefined ? directoryOf(first) : (resolveIn(beside, include.directory) ?? '');
    const named = include.environments?.map((name) => resolveIn(beside, name));
    const variables = await variablesOf(named ?? [resolveIn(directory, '.env')], project.variables);
    return [...found, { files, directory, variables, ...(project.doubt !== undefined && { doubt: project.doubt }) }];
  };

  return async (layers, project) => {
    const all: Named[] = [];
    for (const document of layers) {
      for (const include of includesOf(document, project.variables))
        addAll(all, await includedProject(document, include, project));
    }
    return all;
  };
}
