// The links of one repository, the manifests that they lead to, and the blobs that these name.
import type { Digest } from '../../oci/digest.ts';
import { type Manifest, successors } from '../../oci/manifest.ts';
import { isTag } from '../../oci/reference.ts';
import { digestsIn } from '../collector/digests-in.ts';
import { referrerKey } from '../layout/image-keys.ts';
import {
  layerLinkKey,
  layersPrefix,
  revisionLinkKey,
  revisionsPrefix,
  tagIndexPrefix,
  tagLinkKey,
  tagsPrefix,
} from '../layout/registry-keys.ts';
import { readLink } from '../repositories/links.ts';
import type { Mend, StoreFaultKind } from './findings.ts';
import type { Look } from './look.ts';
import { linksBelow } from './named-links.ts';
import { saidByTag } from './said-by-tag.ts';

interface Repository {
  readonly name: string;
  /** By digest of a manifest: the tags that point to it. */
  readonly tags: Map<Digest, string[]>;
  /** By digest of a manifest: the indexes that list it. */
  readonly parents: Map<Digest, Digest[]>;
  /** Whatever looks like a digest in one of the manifests. */
  readonly named: Set<Digest>;
  /** Reports that name images: to be made once all indexes are known. */
  readonly later: (() => void)[];
}

export async function checkLinksOf(look: Look, name: string): Promise<void> {
  const repository: Repository = { name, tags: new Map(), parents: new Map(), named: new Set(), later: [] };
  /** By digest of a manifest: whether its link is right. */
  const revisions = new Map<Digest, boolean>();
  for await (const { digest, isRight } of linksBelow(look, revisionsPrefix(name))) revisions.set(digest, isRight);
  for (const tag of await tagsOf(look, name)) {
    await look.step();
    const digest = await checkTag(look, repository, tag);
    if (digest !== undefined && !revisions.has(digest)) revisions.set(digest, false);
  }
  for (const [digest, isRight] of revisions) {
    await look.step();
    await checkManifest(look, repository, digest, isRight);
  }
  for (const report of repository.later) report();
  await checkLayerLinks(look, repository);
}

/** Returns the digest that the tag has, or had before its link was garbled; `undefined` if that is not known. */
async function checkTag(look: Look, { name, tags }: Repository, tag: string): Promise<Digest | undefined> {
  const { objects } = look.store;
  const where = tagLinkKey(name, tag);
  const digest = await readLink(objects, where);
  const says = digest ?? (await saidByTag(look, name, tag));
  if (digest === undefined && (await objects.stat(where))) {
    const mend: Mend = says ? 'write' : 'none';
    look.found({ kind: 'garbled-tag', where, ...(says && { digest: says }), mend, images: [`${name}:${tag}`] });
  }
  if (says === undefined) return undefined;
  addTo(tags, says, tag);
  await checkStates(look, name, tag);
  return says;
}

async function checkManifest(look: Look, repository: Repository, digest: Digest, isRight: boolean): Promise<void> {
  const { name, later, named } = repository;
  const found = await look.manifest(digest);
  if (!found) {
    later.push(() => look.lost({ ...useOf(repository, digest), isManifest: true }));
    return;
  }
  for (const one of digestsIn(found.raw.bytes)) named.add(one);
  if (!isRight)
    later.push(await brokenLink(look, repository, { where: revisionLinkKey(name, digest), digest }, digest));
  if (found.manifest) await checkParts(look, repository, digest, found.manifest);
}

async function checkParts(look: Look, repository: Repository, digest: Digest, manifest: Manifest): Promise<void> {
  const { name, later } = repository;
  const { objects } = look.store;
  const parts = successors(manifest);
  for (const child of parts.manifests) addTo(repository.parents, child.digest, digest);
  for (const blob of parts.blobs) {
    const where = layerLinkKey(name, blob.digest);
    if (!(await look.isWhole(blob.digest))) {
      later.push(() => look.lost({ ...useOf(repository, digest), digest: blob.digest, size: blob.size }));
    } else if ((await readLink(objects, where)) !== blob.digest) {
      later.push(await brokenLink(look, repository, { where, digest: blob.digest }, digest));
    }
  }
  if (!manifest.subject) return;
  const where = referrerKey(name, manifest.subject.digest, digest);
  if (!(await objects.stat(where))) look.found({ kind: 'missing-record', where, digest, mend: 'write', images: [] });
}

/** Reports a link that the manifest needs. */
async function brokenLink(
  look: Look,
  repository: Repository,
  link: { readonly where: string; readonly digest: Digest },
  manifest: Digest,
): Promise<() => void> {
  const kind: StoreFaultKind = (await look.store.objects.stat(link.where)) ? 'garbled-link' : 'missing-link';
  return () => look.found({ kind, ...link, mend: 'write', images: imagesOf(repository, manifest) });
}

/** Which images need the manifest. To be called once all indexes are known. */
function useOf(repository: Repository, digest: Digest): Parameters<Look['lost']>[0] {
  return { digest, repository: repository.name, images: imagesOf(repository, digest) };
}

/** Tags whose link is there, garbled or not. */
async function tagsOf({ store }: Look, repository: string): Promise<readonly string[]> {
  const folders = await store.objects.children(tagsPrefix(repository));
  return folders.map((folder) => folder.replace(/\/$/, '')).filter(isTag);
}

/** The links that say what the tag was before. A garbled one is written anew; no image depends on it. */
async function checkStates(look: Look, repository: string, tag: string): Promise<void> {
  for await (const { key, digest, isRight } of linksBelow(look, tagIndexPrefix(repository, tag))) {
    if (!isRight) look.found({ kind: 'garbled-link', where: key, digest, mend: 'write', images: [] });
  }
}

/** Layer links to blobs that no manifest names. All others are checked with their manifests. */
async function checkLayerLinks(look: Look, { name, named }: Repository): Promise<void> {
  const damaged = await look.store.blobs.damaged();
  for await (const { key, digest, isRight, modified } of linksBelow(look, layersPrefix(name))) {
    if (named.has(digest) || damaged.has(digest)) continue;
    const isWhole = await look.isWhole(digest);
    if (isWhole && isRight) continue;
    // Perhaps a push is under way.
    if (!isWhole && modified > look.before) continue;
    const [kind, mend]: [StoreFaultKind, Mend] = isWhole ? ['garbled-link', 'write'] : ['stale-link', 'delete'];
    look.found({ kind, where: key, digest, mend, images: [] });
  }
}

/** The tags that point to this manifest, or to an index that lists it; its digest if there are none. */
function imagesOf({ name, tags, parents }: Repository, digest: Digest): readonly string[] {
  const needing = new Set([digest]);
  for (const one of needing) for (const parent of parents.get(one) ?? []) needing.add(parent);
  const found = [...needing].flatMap((one) => tags.get(one) ?? []).map((tag) => `${name}:${tag}`);
  return found.length > 0 ? found.sort() : [`${name}@${digest}`];
}

function addTo<T>(lists: Map<Digest, T[]>, digest: Digest, one: T): void {
  const list = lists.get(digest);
  if (list) list.push(one);
  else lists.set(digest, [one]);
}
