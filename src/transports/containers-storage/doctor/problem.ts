// A problem of a store: which rule of the format is broken, and where. Rules have names, so that they can be looked up and tested.

export interface Problem {
  readonly rule: Rule;
  /** What is wrong, and where. */
  readonly text: string;
}

/**
 * Every rule, and what breaks if it is violated (docs/pre-pulled-images.md lists them). What only a fault of our own writer could break is not here, but in
 * the tests of write-store.ts: how layers are called, their order, their owners. Other tools may do it differently, and what they wrote is right.
 */
export const RULES = {
  'big-data': 'config and manifests of an image are there, and are what images.json says of them',
  chain: 'the layers of an image are those that its config names, and are all there, like what each layer is upon',
  'containers-xattr': "no file has an attribute user.containers.*: it makes root's podman use fuse",
  'diff-directory': 'every layer has its directory with diff, work, and with empty where nothing is below it',
  'diff-size': 'a layer of an image has a diff-digest, with its diff-size',
  'diff-tree': 'the tree of a layer is what its archive says',
  'duplicate-entry': 'every name is in the archive once',
  'hard-link': 'hard links stay within the tree of their layer',
  'image-id': 'an image is called by the digest of its config, and no two have one id or one name',
  incomplete: 'no layer has the flag `incomplete`: it would be thrown away',
  'layer-id': 'no two layers have one id or one name',
  link: 'every layer has a link of its own, and overlay/l leads from it to the layer',
  'lock-files': 'lock files are there: without them a read-only store is skipped, or fatal',
  lower: 'lower names the links of the layers below, the nearest first',
  'lower-layers': 'lower-layers names the ids of the layers below, the nearest first',
  modes: "the store's own files are root's, and have the modes that its tools give them",
  orphan: 'everything belongs to a layer or an image',
  outside: 'nothing is outside the store',
  'overlay-xattr': 'overlayfs finds no attribute of its own but on opaque directories',
  records: 'layers.json and images.json can be read',
  'tar-split': 'the archive of every layer can be put together again, byte for byte',
  'whiteout-files': 'no file .wh.* is left in a tree',
  work: 'work and merged of an image’s layers are empty: work/incompat/volatile would keep them from being mounted',
} as const;

export type Rule = keyof typeof RULES;

export function problem(rule: Rule, text: string): Problem {
  return { rule, text };
}
