// `transformers:` and `generators:` of a kustomization. Built-in ones that affect images are run; others only give a warning.
import { addAll } from '../../oci/add-all.ts';
import type { ScannedDocument } from '../contract.ts';
import { resolveIn } from '../tree-paths.ts';
import { type BuildState, spendBudget } from './build-state.ts';
import { createImageChanger } from './image-changer.ts';
import { imageChanges, imageFieldsOf } from './images.ts';
import { entriesOf, type Kustomization } from './kustomization.ts';
import { applyPatch, inlineDocuments } from './patches.ts';
import { isFields, type Resource } from './resource.ts';

/** Kinds that do not change images. */
const HARMLESS =
  /^(?:Namespace|Prefix|Suffix|PrefixSuffix|Label|Annotations|ReplicaCount|Hash|IAMPolicyGenerator|ConfigMapGenerator|SecretGenerator)/;

export async function runTransformers(
  state: BuildState,
  kustomization: Kustomization,
  resources: readonly Resource[],
): Promise<readonly Resource[]> {
  let left = resources;
  for (const document of await transformerDocuments(state, kustomization)) left = runTransformer(state, document, left);
  return left;
}

async function transformerDocuments(
  state: BuildState,
  kustomization: Kustomization,
): Promise<readonly ScannedDocument[]> {
  const documents: ScannedDocument[] = [];
  for (const entry of entriesOf(kustomization, 'transformers', 'generators')) {
    const path = entry.text.includes('\n') ? undefined : resolveIn(kustomization.directory, entry.text);
    const folder = path === undefined ? undefined : state.kustomizations.get(path);
    if (entry.text.includes('\n')) addAll(documents, inlineDocuments(kustomization.document, entry));
    else if (path !== undefined && state.tree.has(path)) {
      state.claim(path);
      addAll(documents, await state.tree.documents(path));
    } else if (folder) {
      state.claim(folder.file);
      for (const inner of entriesOf(folder, 'resources')) {
        const file = resolveIn(folder.directory, inner.text);
        if (file === undefined || !state.tree.has(file)) continue;
        state.claim(file);
        addAll(documents, await state.tree.documents(file));
      }
    }
  }
  return documents;
}

function runTransformer(
  state: BuildState,
  document: ScannedDocument,
  resources: readonly Resource[],
): readonly Resource[] {
  const { value } = document;
  if (!isFields(value)) return resources;
  const kind = String(value.kind);
  if (kind === 'ImageTagTransformer') {
    const specs = Array.isArray(value.fieldSpecs) ? value.fieldSpecs.filter(isFields) : [];
    const changes = imageChanges([value.imageTag], { document, path: [] }).map((change) => ({
      ...change,
      source: { document, path: ['imageTag'] },
    }));
    // Each change compares all resources once more.
    if (!spendBudget(state, resources.length * (1 + specs.length))) return resources;
    createImageChanger(changes, state).apply(resources.flatMap((resource) => imageFieldsOf(resource, specs)));
    return resources;
  }
  if (kind === 'PatchTransformer' && typeof value.patch === 'string') {
    const target = isFields(value.target) ? value.target : undefined;
    return inlineDocuments(document, { text: value.patch, path: ['patch'] }).reduce(
      (left, patch) => applyPatch(state, left, { document: patch, target }),
      resources,
    );
  }
  if (kind === 'NamespaceTransformer') {
    const namespace = isFields(value.metadata) ? value.metadata.namespace : undefined;
    if (typeof namespace === 'string') for (const resource of resources) resource.namespaces.push(namespace);
    return resources;
  }
  if (!HARMLESS.test(kind)) {
    state.warn({
      file: document.file,
      line: document.lineOf([]),
      text: `the transformer or generator [${kind}] is not run`,
    });
  }
  return resources;
}
