// The content of a tree's ConfigMaps and Secrets, also of those that kustomizations generate. Other objects refer to it by name for values.
import { readEnvironment } from './compose/environment-file.ts';
import type { FileTree, ScannedDocument } from './contract.ts';
import { asFields, fieldOf, listOf, textOf, valueAt } from './fields.ts';
import { directoriesAbove, resolveIn } from './tree-paths.ts';
import { parseYaml } from './yaml.ts';

export interface ObjectData {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly file: string;
  readonly texts: ReadonlyMap<string, string>;
}

export interface Wanted {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string | undefined;
}

const MANIFEST = /\.ya?ml$|(?:^|\/)Kustomization$/i;
/** Values that are encrypted with SOPS cannot be read. */
const ENCRYPTED = /^ENC\[/;

export type DataByName = ReadonlyMap<string, readonly ObjectData[]>;

/** The ConfigMaps and Secrets with one of these names. Each file is read once, and parsed only if it mentions one of the names. */
export async function readObjectData(tree: FileTree, names: ReadonlySet<string>): Promise<DataByName> {
  const found: ObjectData[] = [];
  if (names.size === 0) return new Map();
  for (const file of tree.files) {
    if (!MANIFEST.test(file)) continue;
    const text = await tree.read(file);
    if (!/ConfigMap|Secret|configMapGenerator|secretGenerator/.test(text)) continue;
    for (const document of parseYaml(file, text).documents) {
      for (const one of await dataIn(tree, document)) if (names.has(one.name)) found.push(one);
    }
  }
  return Map.groupBy(found, ({ name }) => name);
}

/** The object to which a reference in `file` leads. Of several objects the nearest; several if they are equally near. */
export function nearestData(all: DataByName, wanted: Wanted, file: string): readonly ObjectData[] {
  const named = (all.get(wanted.name) ?? []).filter(({ kind, namespace }) => {
    const isThere = namespace === undefined || wanted.namespace === undefined || namespace === wanted.namespace;
    return kind === wanted.kind && isThere;
  });
  const above = directoriesAbove(file);
  const distances = named.map((one) => above.findIndex((directory) => directoriesAbove(one.file).includes(directory)));
  const nearest = distances.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  return named.filter((_, index) => distances[index] === nearest);
}

async function dataIn(tree: FileTree, document: ScannedDocument): Promise<readonly ObjectData[]> {
  const { value, file } = document;
  const items = /List$/.test(textOf(value, 'kind') ?? '') ? listOf(value, 'items') : [value];
  const objects = items.flatMap((item) => objectData(item, file) ?? []);
  const generated: ObjectData[] = [];
  for (const [field, kind] of GENERATORS) {
    for (const entry of listOf(value, field)) {
      const name = textOf(entry, 'name');
      const namespace = textOf(entry, 'namespace') ?? textOf(value, 'namespace');
      if (name !== undefined)
        generated.push({ kind, name, namespace, file, texts: await generatedTexts(tree, file, entry) });
    }
  }
  return [...objects, ...generated];
}

const GENERATORS = [
  ['configMapGenerator', 'ConfigMap'],
  ['secretGenerator', 'Secret'],
] as const;

function objectData(value: unknown, file: string): ObjectData | undefined {
  const kind = textOf(value, 'kind');
  const name = valueAt(value, 'metadata', 'name');
  if ((kind !== 'ConfigMap' && kind !== 'Secret') || typeof name !== 'string') return undefined;
  const namespace = valueAt(value, 'metadata', 'namespace');
  const encoded = kind === 'Secret' ? 'data' : 'binaryData';
  const texts = new Map([
    ...textsOf(fieldOf(value, encoded), (text) => Buffer.from(text, 'base64').toString()),
    ...textsOf(fieldOf(value, kind === 'Secret' ? 'stringData' : 'data'), (text) => text),
  ]);
  return { kind, name, namespace: typeof namespace === 'string' ? namespace : undefined, file, texts };
}

function textsOf(fields: unknown, read: (text: string) => string): readonly (readonly [string, string])[] {
  return Object.entries(asFields(fields) ?? {}).flatMap(([key, value]) => {
    if (typeof value === 'object' || value === null || ENCRYPTED.test(String(value))) return [];
    return [[key, read(String(value))] as const];
  });
}

/** The texts from `literals:`, `envs:` and `files:` of a generator. */
async function generatedTexts(tree: FileTree, file: string, entry: unknown): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const words = (name: string): readonly string[] => listOf(entry, name).filter((word) => typeof word === 'string');
  const directory = file.slice(0, Math.max(0, file.lastIndexOf('/')));
  const read = async (path: string): Promise<string | undefined> => {
    const named = resolveIn(directory, path);
    return named !== undefined && tree.has(named) ? tree.read(named) : undefined;
  };
  for (const name of words('envs')) {
    for (const [key, value] of readEnvironment((await read(name)) ?? '')) texts.set(key, value);
  }
  for (const word of words('files')) {
    const [, key, path = word] = /^([^=]+)=(.+)$/.exec(word) ?? [];
    const text = await read(path);
    if (text !== undefined) texts.set(key ?? path.slice(path.lastIndexOf('/') + 1), text);
  }
  for (const word of words('literals')) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
    if (key !== undefined && value !== undefined) texts.set(key, value.replace(/^(["'])(.*)\1$/s, '$2'));
  }
  return texts;
}
