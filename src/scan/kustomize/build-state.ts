// The shared context of a build: the tree, its kustomizations, the cost limits, and callbacks for warnings.
import type { FileTree, Warning } from '../contract.ts';
import type { Kustomization } from './kustomization.ts';
import type { Resource } from './resource.ts';

export interface BuildState {
  readonly tree: FileTree;
  readonly kustomizations: ReadonlyMap<string, Kustomization>;
  readonly warn: (warning: Warning) => void;
  /** Called for a file that a kustomization has handled. */
  readonly claim: (file: string) => void;
  /** Cached results, for kustomizations that several others include. */
  readonly built: Map<string, readonly Resource[]>;
  /** Directories of kustomizations some of whose resources are elsewhere. */
  readonly incomplete: Set<string>;
  /** Directories of kustomizations that were not built completely, because of the budget. */
  readonly unfinished: Set<string>;
  readonly budget: Budget;
}

/** The remaining budget of the current build. */
export interface Budget {
  /** Number of resources that builds may still pass on. */
  resources: number;
  /** Comparisons of changes with resources, and values copied by patches (see COPY in patches.ts). */
  work: number;
  /** Whether something was left out because of the budget. */
  isCut: boolean;
}

/** What one kustomization of a tree may cost, and how many times as much all of them together. */
export interface KustomizeLimits {
  readonly resources: number;
  readonly work: number;
  readonly together: number;
}

export const KUSTOMIZE_LIMITS: KustomizeLimits = {
  // Far more than any repository deploys with one kustomization. Kustomizations that include two others each, level by level, grow exponentially.
  resources: 300_000,
  // Takes some seconds: thousands of patches for thousands of resources, each of which must be compared.
  work: 10_000_000,
  together: 2,
};

/** Returns whether the budget was sufficient. */
export function spendBudget({ budget }: BuildState, cost: number): boolean {
  budget.work -= cost;
  if (budget.work < 0) budget.isCut = true;
  return budget.work >= 0;
}

/** Like spendBudget, for resources that are passed on. */
export function spendResources({ budget }: BuildState, count: number): boolean {
  budget.resources -= count;
  if (budget.resources < 0) budget.isCut = true;
  return budget.resources >= 0;
}
