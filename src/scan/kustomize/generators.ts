// ConfigMaps that a kustomization generates. Their texts may contain manifests, and so images. Secrets are taken to contain none.
import type { ScannedDocument } from '../contract.ts';
import { resolveIn } from '../tree-paths.ts';
import { type BuildState, spendBudget } from './build-state.ts';
import type { Kustomization } from './kustomization.ts';
import { isFields, type Resource, type ResourceFields, resourceOf, setFrom } from './resource.ts';

/** Adds the generated resources. `behavior: merge` and `replace` change existing ones. */
export async function generateResources(
  state: BuildState,
  kustomization: Kustomization,
  resources: readonly Resource[],
): Promise<readonly Resource[]> {
  await claimSecrets(state, kustomization);
  const { document, fields } = kustomization;
  const list = Array.isArray(fields.configMapGenerator) ? fields.configMapGenerator : [];
  const all = [...resources];
  for (const [index, entry] of list.entries()) {
    if (!isFields(entry)) continue;
    const source = { document, path: ['configMapGenerator', index] };
    const generated = resourceOf(source, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: entry.name },
      data: {},
    });
    const data = generated.value.data as ResourceFields;
    for (const text of await textsOf(state, kustomization, { entry, path: source.path })) {
      setFrom({ document: text.document, path: text.path }, data, text.key)(text.value);
    }
    if (!spendBudget(state, all.length)) break;
    const at = all.findIndex(({ value, names }) => value.kind === 'ConfigMap' && names.includes(String(entry.name)));
    const known = all[at];
    if (known && entry.behavior === 'merge' && isFields(known.value.data))
      Object.assign(data, { ...known.value.data, ...data });
    if (known && (entry.behavior === 'merge' || entry.behavior === 'replace')) all.splice(at, 1);
    all.push(generated);
  }
  return all;
}

interface Text {
  readonly key: string;
  readonly value: string;
  readonly document: ScannedDocument;
  readonly path: readonly (string | number)[];
}

async function textsOf(
  state: BuildState,
  kustomization: Kustomization,
  { entry, path }: { readonly entry: ResourceFields; readonly path: readonly (string | number)[] },
): Promise<readonly Text[]> {
  const { document } = kustomization;
  const texts: Text[] = [];
  for (const [index, literal] of textList(entry.literals).entries()) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(literal) ?? [];
    if (key === undefined || value === undefined) continue;
    texts.push({ key, value: value.replace(/^(["'])(.*)\1$/s, '$2'), document, path: [...path, 'literals', index] });
  }
  for (const entryText of textList(entry.files)) {
    const [, key, name = entryText] = /^([^=]+)=(.+)$/.exec(entryText) ?? [];
    const file = claimed(state, kustomization, name);
    if (file === undefined) continue;
    const value = await state.tree.read(file);
    texts.push({
      key: key ?? file.slice(file.lastIndexOf('/') + 1),
      value,
      document: wholeFile(file, value),
      path: [],
    });
  }
  for (const name of [...textList(entry.envs), ...textList([entry.env])]) {
    const file = claimed(state, kustomization, name);
    if (file === undefined) continue;
    const text = await state.tree.read(file);
    for (const [index, line] of text.split('\n').entries()) {
      const [, key, value] = /^([^#=\s]+)=(.*)$/.exec(line.trim()) ?? [];
      if (key !== undefined && value !== undefined)
        texts.push({ key, value, document: wholeFile(file, text, index + 1), path: [] });
    }
  }
  return texts;
}

/** A file that is the value of a key. Its lines are counted from `first`. */
function wholeFile(file: string, value: string, first = 1): ScannedDocument {
  return { file, value, lineOf: () => first, lineInText: (_, line) => first + line - 1 };
}

async function claimSecrets(state: BuildState, kustomization: Kustomization): Promise<void> {
  const list = kustomization.fields.secretGenerator;
  for (const entry of Array.isArray(list) ? list.filter(isFields) : []) {
    for (const name of [...textList(entry.files), ...textList(entry.envs)])
      claimed(state, kustomization, name.replace(/^[^=]+=/, ''));
  }
}

function claimed(state: BuildState, kustomization: Kustomization, name: string): string | undefined {
  const file = resolveIn(kustomization.directory, name);
  if (file === undefined || !state.tree.has(file)) return undefined;
  state.claim(file);
  return file;
}

function textList(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
