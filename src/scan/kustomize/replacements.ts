// `replacements:` copy values between resources. If one writes into an image, the result is not computed and the image is a maybe.
import { addAll } from '../../oci/add-all.ts';
import { resolveIn } from '../tree-paths.ts';
import { type BuildState, spendBudget } from './build-state.ts';
import type { Kustomization } from './kustomization.ts';
import { isFields, type Resource, type ResourceFields } from './resource.ts';
import { isSelected } from './select.ts';

export async function doubtReplaced(
  state: BuildState,
  kustomization: Kustomization,
  resources: readonly Resource[],
): Promise<void> {
  for (const replacement of await replacementsOf(state, kustomization)) {
    const targets = Array.isArray(replacement.targets) ? replacement.targets.filter(isFields) : [];
    for (const { select, reject, fieldPaths } of targets) {
      const paths = Array.isArray(fieldPaths) ? fieldPaths.map(String) : [];
      if (!paths.some((path) => /(?:^|\.)image$|\.image\.|IMAGE/.test(path))) continue;
      const rejected = Array.isArray(reject) ? reject.filter(isFields) : [];
      if (!spendBudget(state, resources.length * (1 + rejected.length))) return;
      for (const resource of resources) {
        if (!isFields(select) || !isSelected(resource, select)) continue;
        if (rejected.some((target) => isSelected(resource, target))) continue;
        resource.doubt = 'a replacement of the kustomization may change it';
      }
    }
  }
}

async function replacementsOf(
  state: BuildState,
  { directory, fields }: Kustomization,
): Promise<readonly ResourceFields[]> {
  const list = Array.isArray(fields.replacements) ? fields.replacements.filter(isFields) : [];
  const all: ResourceFields[] = [];
  for (const entry of list) {
    const path = typeof entry.path === 'string' ? resolveIn(directory, entry.path) : undefined;
    if (path === undefined) all.push(entry);
    else if (state.tree.has(path)) {
      state.claim(path);
      for (const { value } of await state.tree.documents(path))
        addAll(all, (Array.isArray(value) ? value : [value]).filter(isFields));
    }
  }
  return all;
}
