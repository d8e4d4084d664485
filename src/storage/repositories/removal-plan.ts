// What may go with a manifest that has lost its name. A repository is a graph: indexes list manifests, and manifests are attached to their subjects.
import { addAll } from '../../oci/add-all.ts';
import { cosignTags } from '../../oci/cosign-tags.ts';
import type { Digest } from '../../oci/digest.ts';
import { successors } from '../../oci/manifest.ts';
import { spellings } from '../../registry/policies/name-lookup.ts';
import { linkedManifest, namedManifests, taggedDigests } from './list-manifests.ts';
import { pinsIn } from './pins.ts';
import { mapFiles, type Removal, removalParts, storedManifest } from './removal.ts';

export interface RemovalPlan {
  /** The manifests to be removed, in the order in which they are found. */
  readonly gone: readonly Digest[];
  /** cosign's tags of these manifests: they are removed first. */
  readonly tags: readonly string[];
  readonly nodes: Nodes;
}

/** A digest that a manifest of the repository has, or names. */
interface Node {
  isThere: boolean;
  /** It is there, and its content is damaged or lost. */
  isUnreadable: boolean;
  subject: Digest | undefined;
  readonly children: Digest[];
  /** Indexes that list it. */
  readonly parents: Digest[];
  /** Manifests that have it as their subject. */
  readonly attached: Digest[];
}

type Nodes = ReadonlyMap<Digest, Node>;

/**
 * What `removeUnneeded` (remove-unneeded) would remove; once the tags `without` are gone, if they are given. While a manifest that stays cannot be read, all
 * manifests stay: it may be mended, and list them.
 */
export async function planRemoval(
  digests: readonly Digest[],
  removal: Removal,
  options: { readonly without?: readonly string[] } = {},
): Promise<RemovalPlan> {
  const nodes = await readManifests(removal);
  const gone: Digest[] = [];
  const tags: string[] = [];
  if (nodes.size === 0) return { nodes, gone, tags };
  const names = await readNames(removal);
  for (const tag of options.without ?? []) names.withoutTag(tag);
  const isFree = (digest: Digest, node: Node) => !names.has(digest) && !isPart(node, nodes);
  /** Each may be an index that lists any of the others, until it is free to go itself. */
  const unreadable = new Map([...nodes].filter(([, { isUnreadable }]) => isUnreadable));
  const pending: Digest[] = [];
  const consider = (more: readonly Digest[]) => {
    for (const digest of more) {
      const node = unreadable.get(digest);
      if (node && isFree(digest, node)) unreadable.delete(digest);
    }
    addAll(pending, more);
  };
  consider(digests.toReversed());
  for (let digest = pending.pop(); digest !== undefined; digest = pending.pop()) {
    const node = nodes.get(digest);
    if (node?.isThere) {
      if (unreadable.size > 0 || !isFree(digest, node)) continue;
      node.isThere = false;
      gone.push(digest);
      consider([...node.children, ...node.attached]);
    }
    // cosign's tags mean nothing without their subject.
    for (const tag of cosignTags(digest)) {
      const tagged = names.withoutTag(tag);
      if (tagged === undefined) continue;
      tags.push(tag);
      consider([tagged]);
    }
  }
  return { nodes, gone, tags };
}

async function readManifests(removal: Removal): Promise<Nodes> {
  const nodes = new Map<Digest, Node>();
  const nodeOf = (digest: Digest): Node => {
    const known = nodes.get(digest) ?? newNode();
    nodes.set(digest, known);
    return known;
  };
  const { objects } = removal.store;
  const linked = new Set(await Array.fromAsync(namedManifests(objects, removal.repository)));
  const tagged = await taggedDigests(objects, removal.repository);
  // Only digests are kept, not the manifests: together these may be large.
  const read = async (digest: Digest) => {
    const { manifest, isUnreadable } = await storedManifest(digest, removal);
    const children = manifest ? successors(manifest).manifests.map((child) => child.digest) : [];
    return { digest, subject: manifest?.subject?.digest, children, isUnreadable };
  };
  // A tag whose manifest has lost its link may as well lead nowhere.
  const unlinked = [...tagged].filter((digest) => !linked.has(digest));
  const all = [
    ...(await mapFiles([...linked], read, removal)),
    ...(await mapFiles(unlinked, read, removal)).filter(({ isUnreadable }) => !isUnreadable),
  ];
  for (const { digest, subject, children, isUnreadable } of all) {
    const node = nodeOf(digest);
    node.isThere = true;
    node.isUnreadable = isUnreadable;
    node.subject = subject;
    if (subject !== undefined) nodeOf(subject).attached.push(digest);
    for (const child of children) {
      if (child === digest) continue;
      node.children.push(child);
      nodeOf(child).parents.push(digest);
    }
  }
  return nodes;
}

function newNode(): Node {
  return { isThere: false, isUnreadable: false, subject: undefined, children: [], parents: [], attached: [] };
}

/** Whether an index lists it, or it is attached to an existing manifest. */
function isPart({ parents, subject }: Node, nodes: Nodes): boolean {
  const isThere = (digest: Digest) => nodes.get(digest)?.isThere === true;
  return parents.some(isThere) || (subject !== undefined && isThere(subject));
}

interface Names {
  /** Whether a tag, or a tag in a recorded name, points to the manifest, or it is pinned. */
  has(digest: Digest): boolean;
  /** From now on, the tag and the names recorded with it do not count. Returns the digest that it pointed to; `undefined` if there is no such tag, or if it is pinned. */
  withoutTag(tag: string): Digest | undefined;
}

async function readNames(removal: Removal): Promise<Names> {
  const { store, repository, call } = removalParts(removal);
  const tagsOf = new Map<Digest, Set<string>>();
  const digests = new Map<string, Digest>();
  const add = (digest: Digest, tag: string) => tagsOf.set(digest, (tagsOf.get(digest) ?? new Set()).add(tag));
  const tags = await Array.fromAsync(store.stripped.tags(repository, undefined, call));
  // A damaged manifest has its tag all the same: it can be mended, or pushed again.
  const link = async (tag: string) => [tag, await linkedManifest(store.objects, repository, tag)] as const;
  for (const [tag, digest] of await mapFiles(tags, link, removal)) {
    if (digest === undefined) continue;
    add(digest, tag);
    digests.set(tag, digest);
  }
  for (const path of spellings(repository))
    for await (const name of store.names.ofPath(path)) add(name.digest, name.tag);
  const pinned = await pinsIn(store.objects).of(repository);
  return {
    has: (digest) => (tagsOf.get(digest)?.size ?? 0) > 0 || pinned.digests.has(digest),
    withoutTag: (tag) => {
      const digest = digests.get(tag);
      if (digest === undefined || pinned.tags.has(tag)) return undefined;
      digests.delete(tag);
      tagsOf.get(digest)?.delete(tag);
      return digest;
    },
  };
}
