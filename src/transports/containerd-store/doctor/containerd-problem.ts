// A problem of a store of containerd: which rule is broken, and where.

export interface ContainerdProblem {
  readonly rule: ContainerdRule;
  /** What is wrong, and where. */
  readonly text: string;
}

/** Every rule (docs/pre-pulled-images.md says what happens otherwise, and how to mend it). */
export const CONTAINERD_RULES = {
  blob: 'every blob in meta.db has its file, with its size and its digest',
  chain: 'there is a snapshot for each layer that the config of an image names',
  'cri-names': 'each image has the three names under which CRI looks for it, with its label, and is pinned',
  'duplicate-entry': 'every name is in the archive once',
  'hard-link': 'hard links stay within the tree of their snapshot',
  'image-target': 'what a name points to is there, down to the config',
  keeping:
    'labels lead from each image to its manifests, its config and its snapshots: what nothing leads to is removed',
  modes: "the databases are root's files, which containerd can write",
  name: 'names are whole: CRI finds no others',
  orphan: 'everything belongs to a record',
  outside: 'nothing is outside the root directory',
  'overlay-xattr': 'overlayfs finds no attribute of its own',
  snapshot: 'both databases say the same of each snapshot, its parent, its children and its directory',
  tree: 'the tree of a snapshot is what its layer says',
  version: 'meta.db has a version that containerd 1.6 and later know',
  'whiteout-files': 'no file .wh.* is left in a tree',
} as const;

export type ContainerdRule = keyof typeof CONTAINERD_RULES;

export function containerdProblem(rule: ContainerdRule, text: string): ContainerdProblem {
  return { rule, text };
}
