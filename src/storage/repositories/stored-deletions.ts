// Deletes tags and manifests, but for what is pinned at the same moment. Who pins looks afterwards whether it is there; so who deletes looks for a pin afterwards, and
// puts back what was deleted. In any order, one of the two sees the other. A tag that is pushed meanwhile is there afterwards, and so is the manifest that it points to.
import type { Digest } from '../../oci/digest.ts';
import type { ImagesError } from '../../oci/errors.ts';
import { isTag } from '../../oci/reference.ts';
import type { Registry } from '../../registry/contract.ts';
import { linkBytes, revisionLinkKey, tagIndexLinkKey, tagLinkKey } from '../layout/registry-keys.ts';
import type { Store } from '../store.ts';
import { checkRepository, ensureLink, readLink } from './links.ts';
import type { ManifestHistory } from './manifest-history.ts';
import { isPinned } from './pinned-images.ts';
import { pinsIn } from './pins.ts';
import type { StoredManifestReader } from './read-manifest.ts';
import { restoreManifest } from './restore-manifest.ts';
import type { ReferrersIndex } from './stored-referrers.ts';
import { type SeenTag, seenTag, tagRecords } from './tag-in-motion.ts';
import type { TagLinks } from './tag-links.ts';

export interface DeletionParts {
  readonly store: Store;
  readonly tags: TagLinks;
  readonly history: ManifestHistory;
  readonly referrers: ReferrersIndex;
  readonly find: StoredManifestReader['find'];
  /** The error for what is not there. */
  readonly unknown: (repository: string, tagOrDigest: string) => Promise<ImagesError>;
}

/** Errors: MANIFEST_UNKNOWN, NAME_UNKNOWN, NAME_INVALID, DENIED (pinned meanwhile). */
export function storedDeletions(parts: DeletionParts): Pick<Registry, 'deleteTag' | 'deleteManifest'> {
  const { store, tags, history, referrers, find, unknown } = parts;
  const { objects } = store;
  const pins = pinsIn(objects);

  /** A push of another image that came meanwhile stays. */
  async function putBack(repository: string, names: readonly string[], digest: Digest): Promise<void> {
    for (const tag of names) {
      await history.getsTag(repository, digest);
      await ensureLink(objects, tagIndexLinkKey(repository, tag, digest), digest);
      await objects.put(tagLinkKey(repository, tag), linkBytes(digest), { ifAbsent: true });
    }
    await objects.sync(names.map((tag) => tagLinkKey(repository, tag)));
  }

  async function tagsOf(repository: string, digest: Digest): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const tag of tags.list(repository)) {
      if ((await readLink(objects, tagLinkKey(repository, tag))) === digest) found.push(tag);
    }
    return found;
  }

  /** Returns those that have gone. */
  async function deleteTagsOf(repository: string, digest: Digest): Promise<readonly string[]> {
    const gone: string[] = [];
    for (const tag of await tagsOf(repository, digest)) {
      const seen = await seenTag(objects, repository, tag);
      // Reading all tags takes its time: one that was moved meanwhile is not this manifest's any more.
      if (seen?.digest !== digest) continue;
      await objects.delete([tagLinkKey(repository, tag)]);
      const again = await pushedMeanwhile(repository, seen);
      if (again) await putBack(repository, [tag], again);
      else gone.push(tag);
    }
    return gone;
  }

  /** What the tag was moved to, perhaps before it was deleted. A push whose manifest is not there moves the tag later. */
  async function pushedMeanwhile(repository: string, seen: SeenTag): Promise<Digest | undefined> {
    for await (const again of (await tagRecords(objects, repository, seen)).pushed) {
      if (await find(repository, again)) return again;
    }
    return undefined;
  }

  return {
    deleteTag: async (repository, tag) => {
      checkRepository(repository);
      const seen = isTag(tag) ? await seenTag(objects, repository, tag) : undefined;
      if (!seen) throw await unknown(repository, tag);
      await history.losesTag(repository, seen.digest);
      await objects.delete([tagLinkKey(repository, tag)]);
      const pin = { repository, reference: tag };
      if (await pins.has(pin)) {
        await putBack(repository, [tag], (await pushedMeanwhile(repository, seen)) ?? seen.digest);
        throw isPinned(pin);
      }
      await tags.forgetStates(repository, tag);
      await objects.sync([tagLinkKey(repository, tag)]);
    },
    deleteManifest: async (repository, digest) => {
      checkRepository(repository);
      const link = revisionLinkKey(repository, digest);
      if (!(await readLink(objects, link))) throw await unknown(repository, digest);
      const manifest = await find(repository, digest);
      const names = await deleteTagsOf(repository, digest);
      for (const reference of names) {
        if (!(await pins.has({ repository, reference }))) continue;
        await putBack(repository, names, digest);
        throw isPinned({ repository, reference });
      }
      for (const tag of names) await tags.forgetStates(repository, tag);
      if (manifest) await referrers.remove(repository, manifest);
      await history.forget(repository, [digest]);
      await objects.delete([link]);
      await objects.sync([link, ...names.map((tag) => tagLinkKey(repository, tag))]);
      const pin = { repository, reference: digest };
      const isPinnedNow = await pins.has(pin);
      // A push that moves a tag after this look finds by itself that the manifest has gone (`putManifest`).
      const isPushed = (await tagsOf(repository, digest)).length > 0;
      if (isPushed) await history.getsTag(repository, digest);
      if (isPushed || isPinnedNow) await restoreManifest(store, repository, digest);
      if (!isPinnedNow) return;
      await putBack(repository, names, digest);
      throw isPinned(pin);
    },
  };
}
