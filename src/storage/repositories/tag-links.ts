// The tags of a repository: each is a link to a digest, which is moved in one step.
import { type Digest, isDigest } from '../../oci/digest.ts';
import { isTag } from '../../oci/reference.ts';
import {
  linkBytes,
  parseLink,
  revisionLinkKey,
  tagIndexPrefix,
  tagLinkKey,
  tagsPrefix,
} from '../layout/registry-keys.ts';
import type { Objects } from '../objects.ts';
import { checkRepository, readLink, renewLink } from './links.ts';
import type { ManifestHistory } from './manifest-history.ts';

export interface TagLinks {
  /** The digest that a tag or digest means in this repository; `undefined` if it has no such manifest. Errors: NAME_INVALID. */
  resolve(repository: string, tagOrDigest: string): Promise<Digest | undefined>;
  /** The same at once, if it is remembered (`Objects.kept`). */
  kept(repository: string, tagOrDigest: string): Digest | undefined;
  /** Not durable yet when it resolves. */
  point(repository: string, tag: string, digest: Digest): Promise<void>;
  /** Removes what says which states a tag had, once its link has gone. The tag may be there again. Not durable yet when it resolves. */
  forgetStates(repository: string, tag: string): Promise<void>;
  /** In byte order, those after `after`; without these. Links are read lazily. */
  list(repository: string, after?: string, unwanted?: ReadonlySet<string>): AsyncGenerator<string>;
}

/** How many links are read ahead of who lists tags. */
const LINKS_AT_A_TIME = 8;

export function tagLinks(objects: Objects, history: ManifestHistory): TagLinks {
  return {
    resolve: async (repository, tagOrDigest) => {
      checkRepository(repository);
      const digest = isDigest(tagOrDigest)
        ? tagOrDigest
        : isTag(tagOrDigest)
          ? await readLink(objects, tagLinkKey(repository, tagOrDigest))
          : undefined;
      if (digest === undefined) return undefined;
      return (await readLink(objects, revisionLinkKey(repository, digest))) === undefined ? undefined : digest;
    },
    kept: (repository, tagOrDigest) => {
      checkRepository(repository);
      const link = (key: string) => parseLink(objects.kept?.(key));
      const digest = isDigest(tagOrDigest)
        ? tagOrDigest
        : isTag(tagOrDigest)
          ? link(tagLinkKey(repository, tagOrDigest))
          : undefined;
      return digest !== undefined && link(revisionLinkKey(repository, digest)) !== undefined ? digest : undefined;
    },
    point: async (repository, tag, digest) => {
      const key = tagLinkKey(repository, tag);
      const former = await readLink(objects, key);
      // The time of a tag's link is that of its last push (tag-use).
      if (former === digest) return await renewLink(objects, key, digest);
      if (former !== undefined) await history.losesTag(repository, former);
      await objects.put(key, linkBytes(digest));
    },
    forgetStates: (repository, tag) => objects.deleteAll(tagIndexPrefix(repository, tag)),
    list: async function* (repository, after = '', unwanted) {
      const folders = await objects.children(tagsPrefix(repository));
      // Sorted without their slashes, so that `a` comes before `a-b`.
      const found = folders
        .map((folder) => folder.slice(0, -1))
        .filter((tag) => tag > after && isTag(tag) && !unwanted?.has(tag))
        .sort();
      // The consumer may stop after a page, so links are not read far ahead.
      for (let at = 0; at < found.length; at += LINKS_AT_A_TIME) {
        const some = found.slice(at, at + LINKS_AT_A_TIME);
        const links = await Promise.all(some.map((tag) => readLink(objects, tagLinkKey(repository, tag))));
        yield* some.filter((_, index) => links[index] !== undefined);
      }
    },
  };
}
