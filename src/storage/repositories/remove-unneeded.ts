// Removing a name together with the manifests of the embedded registry that nothing else needs.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { addAll } from '../../oci/add-all.ts';
import { cosignTags } from '../../oci/cosign-tags.ts';
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { decodeManifest, type Manifest, successors } from '../../oci/manifest.ts';
import { spellings } from '../../registry/policies/name-lookup.ts';
import type { RegistryStore } from '../store.ts';
import { deleteUntagged, linkedManifest, listManifests, listTagStates } from './list-manifests.ts';
import { manifestHistory } from './manifest-history.ts';
import { pinsIn } from './pins.ts';
import { restoreManifest } from './restore-manifest.ts';

/** Small files, each of which waits for the disk: several at a time, as many as Node has threads for and some that queue. */
const READ_AT_ONCE = 16;
/** Items between two steps. */
const STEP = 64;

export interface Removal extends CallOptions {
  readonly store: RegistryStore;
  readonly repository: string;
  /** Called after each few manifests that were read: it may wait, so that others are not disturbed. */
  readonly step?: () => Promise<void>;
}

export interface Removed {
  /** The digest that the name points to. */
  readonly digest: Digest;
  /** Set if the name is a tag. */
  readonly tag?: string | undefined;
}

/**
 * Removes a name with `remove`, then everything that only it needed: the manifest, the children of an index, attached manifests, and what only an
 * earlier value of the tag left behind. Returns false if `remove` says that there was no such name.
 */
export async function withUnneeded(
  { digest, tag }: Removed,
  removal: Removal,
  remove: () => Promise<boolean>,
): Promise<boolean> {
  const left = await removeName({ digest, tag }, removal, remove);
  if (!left) return false;
  await removeUnneeded(left, removal);
  return true;
}

/** Removes the name alone, with `remove`. Returns what nothing may need now, for `removeUnneeded`; `undefined` if `remove` says that there was no such name. */
export async function removeName(
  { digest, tag }: Removed,
  removal: Removal,
  remove: () => Promise<boolean>,
): Promise<readonly Digest[] | undefined> {
  const { store, repository, call } = partsOf(removal);
  const belonging = await belongingTo(digest, removal);
  const states = tag === undefined ? [] : await formerStates(tag, removal);
  if (!(await remove())) return undefined;
  // The tag may be there again, for another host's image. It is the same tag, so its former states are still needed.
  const isTagLeft = tag !== undefined && (await store.stripped.statManifest(repository, tag, call)) !== undefined;
  return [digest, ...belonging, ...(isTagLeft ? [] : states)];
}

/** What the tag was and is, but for what somebody asked for by its digest: that is wanted for its own sake. */
export async function formerStates(tag: string, { store, repository }: Removal): Promise<readonly Digest[]> {
  const history = manifestHistory(store.objects);
  const states: Digest[] = [];
  for await (const digest of listTagStates(store.objects, repository, tag)) {
    if (!(await history.hasComeByDigest(repository, digest))) states.push(digest);
  }
  return states;
}

/** The children of an index, and what is attached to the manifest: signatures and other referrers. */
async function belongingTo(digest: Digest, removal: Removal): Promise<readonly Digest[]> {
  const { store, repository, call } = partsOf(removal);
  const manifest = await find(digest, removal);
  const children = manifest ? successors(manifest).manifests : [];
  const attached = await Array.fromAsync(store.stripped.referrers(repository, digest, undefined, call));
  return [...children, ...attached].map((descriptor) => descriptor.digest);
}

/**
 * Removes those of the manifests, and of what belonged to them, that no tag and no recorded name points to, no index lists, and that are not attached
 * to another existing manifest. Blobs are left to garbage collection. The repository is read once, however many manifests there are. Returns those that
 * are gone.
 */
export async function removeUnneeded(digests: readonly Digest[], removal: Removal): Promise<readonly Digest[]> {
  const { store, repository } = removal;
  const plan = await planRemoval(digests, removal);
  for (const tag of plan.tags) await withoutTag(tag, removal);
  if (plan.gone.length === 0) return [];
  const manifests = plan.gone.map((digest) => ({ digest, subject: plan.nodes.get(digest)?.subject }));
  await deleteUntagged(store.objects, repository, manifests);
  await putBack(plan, removal);
  const left = new Set(await Array.fromAsync(listManifests(store.objects, repository)));
  const gone = plan.gone.filter((digest) => !left.has(digest));
  await manifestHistory(store.objects).forget(repository, gone);
  return gone;
}

/** What `removeUnneeded` would remove; once the tags `without` are gone, if they are given. */
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
  const pending = [...digests].reverse();
  for (let digest = pending.pop(); digest !== undefined; digest = pending.pop()) {
    const node = nodes.get(digest);
    if (node?.isThere) {
      if (names.has(digest) || isPart(node, nodes)) continue;
      node.isThere = false;
      gone.push(digest);
      addAll(pending, node.children);
      addAll(pending, node.attached);
    }
    // cosign's tags mean nothing without their subject.
    for (const tag of cosignTags(digest)) {
      const tagged = names.withoutTag(tag);
      if (tagged === undefined) continue;
      tags.push(tag);
      pending.push(tagged);
    }
  }
  return { nodes, gone, tags };
}

export interface RemovalPlan {
  /** In this order. */
  readonly gone: readonly Digest[];
  /** Tags that go first. */
  readonly tags: readonly string[];
  readonly nodes: Nodes;
}

async function withoutTag(tag: string, removal: Removal): Promise<void> {
  const { store, repository, call } = partsOf(removal);
  try {
    await store.registry.deleteTag(repository, tag, call);
  } catch (error) {
    if (!isImagesError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) throw error;
  }
}

/**
 * Restores what got a tag, or is listed by an index, that came after the repository was read, with what belonged to it: an acknowledged push relies on it.
 * What comes after this check notices that the manifest has gone (`putManifest`).
 */
async function putBack({ gone, nodes }: RemovalPlan, removal: Removal): Promise<void> {
  const { store, repository, call } = partsOf(removal);
  const left = new Set(gone);
  const tags = await Array.fromAsync(store.stripped.tags(repository, undefined, call));
  const link = (tag: string) => linkedManifest(store.objects, repository, tag);
  const linked = await mapFiles(tags, link, removal);
  const pending = linked.filter((digest) => digest !== undefined);
  for await (const digest of listManifests(store.objects, repository)) {
    if (nodes.get(digest)?.isThere || left.has(digest)) continue;
    const manifest = await find(digest, removal);
    if (manifest)
      addAll(
        pending,
        successors(manifest).manifests.map((child) => child.digest),
      );
    if (manifest?.subject) pending.push(manifest.subject.digest);
  }
  for (let digest = pending.pop(); digest !== undefined; digest = pending.pop()) {
    if (!left.delete(digest)) continue;
    await restoreManifest(store, repository, digest);
    const { children = [], attached = [] } = nodes.get(digest) ?? {};
    addAll(pending, children);
    addAll(pending, attached);
  }
}

/** A digest that a manifest of the repository has, or names. */
interface Node {
  isThere: boolean;
  subject: Digest | undefined;
  readonly children: Digest[];
  /** Indexes that list it. */
  readonly parents: Digest[];
  /** Manifests that have it as their subject. */
  readonly attached: Digest[];
}

type Nodes = ReadonlyMap<Digest, Node>;

async function readManifests(removal: Removal): Promise<Nodes> {
  const nodes = new Map<Digest, Node>();
  const nodeOf = (digest: Digest): Node => {
    const known = nodes.get(digest) ?? { isThere: false, subject: undefined, children: [], parents: [], attached: [] };
    nodes.set(digest, known);
    return known;
  };
  const digests = await Array.fromAsync(listManifests(removal.store.objects, removal.repository));
  // Of each manifest only digests are kept: together they may be large.
  const read = async (digest: Digest) => {
    const manifest = await find(digest, removal);
    const children = manifest ? successors(manifest).manifests.map((child) => child.digest) : [];
    return { digest, subject: manifest?.subject?.digest, children };
  };
  for (const { digest, subject, children } of await mapFiles(digests, read, removal)) {
    const node = nodeOf(digest);
    node.isThere = true;
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

/** Whether an index lists it, or it is attached to an existing manifest. */
function isPart({ parents, subject }: Node, nodes: Nodes): boolean {
  const isThere = (digest: Digest) => nodes.get(digest)?.isThere === true;
  return parents.some(isThere) || (subject !== undefined && isThere(subject));
}

interface Names {
  /** Whether a tag, or a tag in a recorded name, points to the manifest, or it is pinned. */
  has(digest: Digest): boolean;
  /** As if the tag, and names recorded with it, were not there. Returns the digest that it pointed to; `undefined` also for a tag that is pinned. */
  withoutTag(tag: string): Digest | undefined;
}

async function readNames(removal: Removal): Promise<Names> {
  const { store, repository, call } = partsOf(removal);
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

/** Returns `undefined` for damaged manifests and for unknown kinds, which a volume of another registry may hold: they need nothing. */
async function find(digest: Digest, removal: Removal): Promise<Manifest | undefined> {
  const { store, repository, call } = partsOf(removal);
  try {
    return decodeManifest(await store.stripped.getManifest(repository, digest, call));
  } catch (error) {
    if (isImagesError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'MANIFEST_INVALID', 'DIGEST_INVALID', 'UNSUPPORTED')) {
      return undefined;
    }
    throw error;
  }
}

/** Does `work` for all items, several at a time, with a step after each few. */
async function mapFiles<T, Result>(
  items: readonly T[],
  work: (item: T) => Promise<Result>,
  { step, signal }: Removal,
): Promise<readonly Result[]> {
  const limiter = createLimiter(READ_AT_ONCE);
  const results: Result[] = [];
  for (let at = 0; at < items.length; at += STEP) {
    addAll(results, await limiter.map(items.slice(at, at + STEP), work, signal));
    await step?.();
  }
  return results;
}

function partsOf({ store, repository, signal }: Removal): Pick<Removal, 'store' | 'repository'> & {
  readonly call: CallOptions;
} {
  return { store, repository, call: signal ? { signal } : {} };
}
