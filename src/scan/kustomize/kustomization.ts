// The kustomization files of a tree, and the references in their entries. Format: kubectl.docs.kubernetes.io/references/kustomize/kustomization.
import type { FileTree, ScannedDocument } from '../contract.ts';
import { isFields, type ResourceFields } from './resource.ts';

const FILE_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

export interface Kustomization {
  /** Relative to the scanned directory; empty for the scanned directory itself. */
  readonly directory: string;
  readonly file: string;
  readonly document: ScannedDocument;
  readonly fields: ResourceFields;
  /** `kind: Component`: changes the resources of the kustomizations that include it. */
  readonly isComponent: boolean;
}

/** All kustomizations, by directory. */
export async function kustomizationsIn(tree: FileTree): Promise<ReadonlyMap<string, Kustomization>> {
  const found = new Map<string, Kustomization>();
  for (const file of tree.files) {
    const slash = file.lastIndexOf('/');
    if (!FILE_NAMES.includes(file.slice(slash + 1))) continue;
    const directory = file.slice(0, Math.max(0, slash));
    if (found.has(directory)) continue;
    const [document] = await tree.documents(file);
    if (document && isKustomization(document.value)) {
      const isComponent = document.value.kind === 'Component';
      found.set(directory, { directory, file, document, fields: document.value, isComponent });
    }
  }
  return found;
}

/** Flux has the same kind in another API group. */
function isKustomization(value: unknown): value is ResourceFields {
  if (!isFields(value)) return false;
  if (typeof value.apiVersion === 'string' && !value.apiVersion.startsWith('kustomize.config.k8s.io/')) return false;
  return value.kind === undefined || value.kind === 'Kustomization' || value.kind === 'Component';
}

export interface Entry {
  readonly text: string;
  readonly path: readonly (string | number)[];
}

/** The texts in lists of these names, with their paths. */
export function entriesOf({ fields }: Kustomization, ...names: readonly string[]): readonly Entry[] {
  return names.flatMap((name) => {
    const list = fields[name];
    if (!Array.isArray(list)) return [];
    return list.flatMap((text, index) => (typeof text === 'string' ? [{ text, path: [name, index] }] : []));
  });
}

/** Whether this is a URL, a git address, or a host with a path (`github.com/org/repo//path?ref=v1`). */
export function isRemote(text: string): boolean {
  return /^[a-z][a-z\d+.-]*:\/\/|^[\w.-]+@[\w.-]+:|^(?:github\.com|gitlab\.com|bitbucket\.org)[/:]|\?(?:ref|version)=|^git::/i.test(
    text,
  );
}
