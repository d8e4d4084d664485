// The rules, in the order in which they are asked. Adding a kind of source is adding a file and a line here.
import type { DocumentRule, TreeRule } from './contract.ts';
import { containers } from './rules/containers.ts';

/** Directories that mean something as a whole; what they claim, no other rule sees. */
export const TREE_RULES: readonly TreeRule[] = [];

/** One document at a time. */
export const DOCUMENT_RULES: readonly DocumentRule[] = [containers];
