// The variables that Flux's Kustomizations set for a directory of the tree (fluxcd.io/flux/components/kustomize/kustomizations, "Post build variable substitution").
import type { FileTree, Warning } from '../contract.ts';
import { asFields, type Fields, fieldOf, listOf, textOf, valueAt } from '../fields.ts';
import { type KnownVariables, PLAIN } from '../fill-in.ts';
import { type DataByName, nearestData, readObjectData, type Wanted } from '../object-data.ts';
import { directoriesAbove, directoryInRepository } from '../tree-paths.ts';
import { substitute, type Variables } from '../variables.ts';
import { objectOf } from '../walk.ts';
import { parseYaml } from '../yaml.ts';

/** Maximum number of environments in which one directory is deployed. More are left out with a warning. */
const MAX_ENVIRONMENTS = 100;
const MANIFEST = /\.(?:ya?ml|json)$/i;
const GROUP = 'kustomize.toolkit.fluxcd.io';

export interface Substitutions {
  /** Directories that Flux Kustomizations with `postBuild` deploy. */
  readonly directories: readonly string[];
  /** The environments of this file. The innermost deployed directory that contains the file decides. */
  environmentsOf(file: string): readonly KnownVariables[];
  /** Warnings for what is left out. */
  readonly warnings: readonly Warning[];
}

const known = new WeakMap<FileTree, Promise<Substitutions>>();

/** Computed once for each tree, when a text with variables is found. Each file is read, but parsed only if it may set variables. */
export function fluxSubstitutions(tree: FileTree): Promise<Substitutions> {
  const found = known.get(tree) ?? readSubstitutions(tree);
  known.set(tree, found);
  return found;
}

interface FluxKustomization {
  readonly file: string;
  readonly namespace: string | undefined;
  readonly directory: string;
  readonly variables: Variables;
  readonly sources: readonly Wanted[];
}

async function readSubstitutions(tree: FileTree): Promise<Substitutions> {
  const kustomizations: FluxKustomization[] = [];
  for (const file of tree.files) {
    if (!MANIFEST.test(file)) continue;
    const text = await tree.read(file);
    if (!text.includes(GROUP) || !text.includes('postBuild')) continue;
    for (const { value } of parseYaml(file, text).documents) {
      for (const item of Array.isArray(fieldOf(value, 'items')) ? listOf(value, 'items') : [value]) {
        const one = kustomizationIn(tree, file, item);
        if (one) kustomizations.push(one);
      }
    }
  }
  const names = new Set(kustomizations.flatMap(({ sources }) => sources.map(({ name }) => name)));
  const data = await readObjectData(tree, names);
  const plain = byDirectory(kustomizations, (one) => environmentsFrom(one, data));
  // A Kustomization that sets variables may itself contain variables, set by the Kustomization that deploys it.
  return byDirectory(kustomizations, (one) => {
    const [outer] = plain.environmentsOf(one.file);
    return environmentsFrom(outer ? withOuter(one, outer.variables) : one, data);
  });
}

function kustomizationIn(tree: FileTree, file: string, value: unknown): FluxKustomization | undefined {
  const object = asFields(value) && objectOf(value as Fields);
  if (object?.kind !== 'Kustomization' || object.group !== GROUP) return undefined;
  const spec = fieldOf(object.fields, 'spec');
  const directory = directoryInRepository(tree, file, textOf(spec, 'path') ?? '');
  const postBuild = fieldOf(spec, 'postBuild');
  if (directory === undefined || postBuild === undefined) return undefined;
  const namespace = valueAt(value, 'metadata', 'namespace');
  const at = { file, directory, namespace: typeof namespace === 'string' ? namespace : undefined };
  const sources = listOf(postBuild, 'substituteFrom').map((entry) => ({
    kind: textOf(entry, 'kind') ?? '',
    name: textOf(entry, 'name') ?? '',
    namespace: at.namespace,
  }));
  const written = Object.entries(asFields(fieldOf(postBuild, 'substitute')) ?? {});
  const variables = new Map(
    written.filter(([, one]) => one !== null && typeof one !== 'object').map(([name, one]) => [name, String(one)]),
  );
  return { ...at, variables, sources };
}

/** The variables of the referenced objects, where later ones outweigh earlier ones, and the inline variables of the Kustomization outweigh all. */
function environmentsFrom(
  { file, variables, sources }: FluxKustomization,
  data: DataByName,
): readonly KnownVariables[] {
  const found = sources.map((wanted) => nearestData(data, wanted, file));
  const doubt = found.some((several) => several.length > 1)
    ? 'several objects of one name set its variables'
    : undefined;
  const most = found.reduce((count, { length }) => Math.max(count, Math.min(MAX_ENVIRONMENTS, length)), 1);
  return Array.from({ length: most }, (_, index) => {
    const texts = found.flatMap((several) => [...(several[Math.min(index, several.length - 1)]?.texts ?? [])]);
    return { variables: new Map([...texts, ...variables]), ...(doubt !== undefined && { doubt }) };
  });
}

function withOuter(one: FluxKustomization, outer: Variables): FluxKustomization {
  return { ...one, variables: new Map([...one.variables].map(([name, value]) => [name, substitute(value, outer)])) };
}

function byDirectory(
  kustomizations: readonly FluxKustomization[],
  environmentsFor: (one: FluxKustomization) => readonly KnownVariables[],
): Substitutions {
  const environments = new Map<string, KnownVariables[]>();
  const leftOut = new Map<string, FluxKustomization>();
  for (const one of kustomizations) {
    const list = environments.get(one.directory) ?? [];
    environments.set(one.directory, list);
    for (const environment of environmentsFor(one)) {
      if (list.some((other) => isSame(other, environment))) continue;
      if (list.length < MAX_ENVIRONMENTS) list.push(environment);
      else if (!leftOut.has(one.directory)) leftOut.set(one.directory, one);
    }
  }
  return {
    directories: [...environments.keys()],
    environmentsOf: (file) => {
      const directory = directoriesAbove(file).find((above) => environments.has(above));
      return (directory === undefined ? undefined : environments.get(directory)) ?? PLAIN;
    },
    warnings: [...leftOut].map(([directory, { file }]) => {
      const text = `so many Kustomizations deploy [${directory || '.'}] with other variables that this and what follows is not looked at`;
      return { file, text };
    }),
  };
}

function isSame(a: KnownVariables, b: KnownVariables): boolean {
  return (
    a.variables.size === b.variables.size && [...a.variables].every(([name, value]) => b.variables.get(name) === value)
  );
}
