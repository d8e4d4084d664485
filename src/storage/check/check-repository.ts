// The links of one repository, the manifests that they lead to, and the blobs that these name.
import { type Digest, isDigest } from '../../oci/digest.ts';
import { type Manifest, successors } from '../../oci/manifest.ts';
import { isTag } from '../../oci/reference.ts';
import { digestsIn } from '../collector/digests-in.ts';
import { referrerKey } from '../layout/image-keys.ts';
import {
  layerLinkKey,
  layersPrefix,
  parseLink,
  revisionLinkKey,
  revisionsPrefix,
  tagIndexPrefix,
  tagLinkKey,
  tagsPrefix,
} from '../layout/registry-keys.ts';
import { readLink } from '../repositories/links.ts';
import type { Mend, StoreFaultKind } from './findings.ts';
import type { Look } from './look.ts';
import { saidByTag } from './said-by-tag.ts';

interface Repository {
  readonly name: string;
  /** By digest of a manifest: the tags that point to it. */
  readonly tags: Map<Digest, string[]>;
  /** By digest of a manifest: the indexes that list it. */
  readonly parents: Map<Digest, Digest[]>;
  /** Whatever looks like a digest in one of the manifests. */
  readonly named: Set<Digest>;
}

export async function checkLinksOf(look: Look, name: string): Promise<void> {
  const repository: Repository = { name, tags: new Map(), parents: new Map(), named: new Set() };
  const later: (() => void)[] = [];
  const { objects } = look.store;
  const revisions = new Map<Digest, boolean>();
  for await (const { digest, isRight } of linksBelow(look, revisionsPrefix(name))) revisions.set(digest, isRight);

  for (const tag of await tagsOf(look, name)) {
    await look.step();
    const where = tagLinkKey(name, tag);
    const digest = await readLink(objects, where);
    const says = digest ?? (await saidByTag(look, name, tag));
    if (digest === undefined && (await objects.stat(where))) {
      look.found({
        kind: 'garbled-tag',
        where,
        ...(says && { digest: says }),
        mend: says ? 'write' : 'none',
        images: [`${name}:${tag}`],
      });
    }
    if (says === undefined) continue;
    addTo(repository.tags, says, tag);
    if (!revisions.has(says)) revisions.set(says, false);
    await checkStates(look, name, tag);
  }

  for (const [digest, isRight] of revisions) {
    await look.step();
    const found = await look.manifest(digest);
    if (!found) later.push(() => look.lost({ ...useOf(digest), isManifest: true }));
    else {
      for (const one of digestsIn(found.raw.bytes)) repository.named.add(one);
      if (!isRight) later.push(await brokenLink(revisionLinkKey(name, digest), digest, digest));
      if (found.manifest) await checkParts(digest, found.manifest);
    }
  }
  for (const report of later) report();
  await checkLayerLinks(look, repository);

  /** Which images need the manifest. To be called once all indexes are known. */
  function useOf(digest: Digest): Parameters<Look['lost']>[0] {
    return { digest, repository: name, images: imagesOf(repository, digest) };
  }

  async function brokenLink(where: string, digest: Digest, manifest: Digest): Promise<() => void> {
    const kind: StoreFaultKind = (await objects.stat(where)) ? 'garbled-link' : 'missing-link';
    return () => look.found({ kind, where, digest, mend: 'write', images: imagesOf(repository, manifest) });
  }

  async function checkParts(digest: Digest, manifest: Manifest): Promise<void> {
    const parts = successors(manifest);
    for (const child of parts.manifests) addTo(repository.parents, child.digest, digest);
    for (const blob of parts.blobs) {
      if (!(await look.isWhole(blob.digest))) {
        later.push(() => look.lost({ ...useOf(digest), digest: blob.digest, size: blob.size }));
      } else if ((await readLink(objects, layerLinkKey(name, blob.digest))) !== blob.digest) {
        later.push(await brokenLink(layerLinkKey(name, blob.digest), blob.digest, digest));
      }
    }
    if (!manifest.subject) return;
    const where = referrerKey(name, manifest.subject.digest, digest);
    if (!(await objects.stat(where))) look.found({ kind: 'missing-record', where, digest, mend: 'write', images: [] });
  }
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

interface Link {
  readonly key: string;
  /** The digest in the link's key. */
  readonly digest: Digest;
  /** Whether the link's content is the same digest. */
  readonly isRight: boolean;
  readonly modified: Date;
}

/** The links below `prefix`. The key of each determines its content. */
async function* linksBelow(look: Look, prefix: string): AsyncGenerator<Link> {
  for await (const { key, modified } of look.store.objects.list(prefix)) {
    const [algorithm, hex, link] = key.slice(prefix.length).split('/');
    const digest = `${algorithm}:${hex}`;
    if (!isDigest(digest) || link !== 'link') continue;
    await look.step();
    const isRight = parseLink(await look.store.objects.get(key)) === digest;
    yield { key, digest, isRight, modified };
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
