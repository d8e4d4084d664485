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
  /** Those that were not built to their ends, for what they cost. */
  readonly unfinished: Set<string>;
  readonly budget: Budget;
}

/** What the kustomization that is built may still cost. */
export interface Budget {
  /** In resources that are carried on. */
  resources: number;
  /** In changes that are held against resources, and in values that patches copy. */
  work: number;
  /** Something was left out for it. */
  isCut: boolean;
}

/** Far more than any repository deploys by one kustomization; those that name others twice each, level by level, would grow without end. */
export const MAX_CARRIED = 300_000;
/** Some seconds: thousands of patches for thousands of resources, of which each may be for any. */
export const MAX_WORK = 10_000_000;
/** All kustomizations of a tree together may cost so many times as much. */
export const MAX_TOGETHER = 2;

/** Says whether there was so much left. */
export function spendBudget({ budget }: Workplace, cost: number): boolean {
  budget.work -= cost;
  if (budget.work < 0) budget.isCut = true;
  return budget.work >= 0;
}

/** For resources that are carried on. */
export function spendResources({ budget }: Workplace, count: number): boolean {
  budget.resources -= count;
  if (budget.resources < 0) budget.isCut = true;
  return budget.resources >= 0;
}
