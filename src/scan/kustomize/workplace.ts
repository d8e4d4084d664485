// What the parts of a build share: the tree, its kustomizations, and where to tell what was noticed.
import type { FileTree, Warning } from '../contract.ts';
import type { Kustomization } from './kustomization.ts';
import type { Resource } from './resource.ts';

export interface Workplace {
  readonly tree: FileTree;
  readonly kustomizations: ReadonlyMap<string, Kustomization>;
  readonly warn: (warning: Warning) => void;
  /** A file that a kustomization has dealt with. */
  readonly claim: (file: string) => void;
  /** Results of kustomizations that several others name. */
  readonly built: Map<string, readonly Resource[]>;
  /** Directories of kustomizations some of whose resources are elsewhere. */
  readonly incomplete: Set<string>;
}
