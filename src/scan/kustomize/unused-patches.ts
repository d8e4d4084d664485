// Patches beside a kustomization that does not refer to them. The images that they set are not in use.
import type { FileTree, Finding, ScannedDocument } from '../contract.ts';
import { isFields } from './resource.ts';

const MANIFEST = /\.ya?ml$/i;
/** Kubernetes refuses these kinds without a selector. So one without a selector is a patch. */
const WORKLOADS: ReadonlySet<unknown> = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

/** Files beside a kustomization that no build has claimed, and that contain only patches. */
export async function unusedPatches(
  tree: FileTree,
  { directories, claimed }: { readonly directories: ReadonlySet<string>; readonly claimed: ReadonlySet<string> },
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const file of tree.files) {
    if (!MANIFEST.test(file) || claimed.has(file)) continue;
    if (!directories.has(file.slice(0, Math.max(0, file.lastIndexOf('/'))))) continue;
    const documents = await tree.documents(file);
    if (documents.length > 0 && documents.every(isPatch)) found.add(file);
  }
  return found;
}

function isPatch({ value }: ScannedDocument): boolean {
  if (!isFields(value) || value.apiVersion !== 'apps/v1' || !WORKLOADS.has(value.kind)) return false;
  return isFields(value.spec) && value.spec.selector === undefined;
}

export function asUnused(finding: Finding): Finding {
  return { ...finding, certainty: 'maybe', reason: finding.reason ?? 'a patch that no kustomization names' };
}
