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
  /** What the kustomization that is built may still cost, in resources that are carried on. */
  budget: number;
}

/** Far more than any repository deploys by one kustomization; those that name others twice each, level by level, would grow without end. */
export const MAX_CARRIED = 300_000;
