// Keys of what is known of images, and registry:2 does not know.
//
//   images/
//     names/HOST/PATH/_tags/TAG                                 the digest that HOST/PATH:TAG is
//     referrers/NAME/_subjects/ALGORITHM/HEX/ALGORITHM/HEX      the second digest's descriptor: its manifest's subject is the first
//     history/NAME/_digests/by-tag/ALGORITHM/HEX                when this manifest last got or lost a tag: without one, it goes some time later
//     history/NAME/_digests/by-digest/ALGORITHM/HEX             this manifest came by its digest: it stays without a tag
//     history/NAME/_digests/pulled/ALGORITHM/HEX                how often this manifest was pulled, and when last
//     pins/NAME/_tags/TAG                                       the tag is not removed before it is unpinned (repositories/pins)
//     pins/NAME/_digests/ALGORITHM/HEX                          nor this manifest
//     built/HOST/PATH/_tags/TAG                                 the digest of an image that was built here; no repository has it before it is uploaded
//
// The `:` of a host's port, and the `[` and `]` of an IPv6 address, are percent-encoded: keys are paths on every file system.
import { type Digest, isDigest } from '../../oci/digest.ts';
import { isHostName, isRepositoryPath, isTag } from '../../oci/reference.ts';
import { digestPath } from './digest-path.ts';

export const NAMES = 'images/names/';

export function nameTagsPrefix(host: string, path: string): string {
  return `${NAMES}${encodeURIComponent(host)}/${path}/_tags/`;
}

export function nameKey(host: string, path: string, tag: string): string {
  return `${nameTagsPrefix(host, path)}${tag}`;
}

/** What `nameKey` built; `undefined` for a file that it did not. */
export function parseNameKey(key: string): { host: string; path: string; tag: string } | undefined {
  const match = /^([^/]+)\/(.+)\/_tags\/([^/]+)$/.exec(key.slice(NAMES.length));
  if (!match?.[1] || !match[2] || !match[3] || !key.startsWith(NAMES)) return undefined;
  const host = decodeHost(match[1]);
  return host !== undefined && isRepositoryPath(match[2]) && isTag(match[3])
    ? { host, path: match[2], tag: match[3] }
    : undefined;
}

/** The host of a folder below `NAMES`, with or without its `/`. */
export function decodeHost(folder: string): string | undefined {
  try {
    const host = decodeURIComponent(folder.endsWith('/') ? folder.slice(0, -1) : folder);
    return isHostName(host) ? host : undefined;
  } catch {
    return undefined;
  }
}

export const REFERRER_RECORDS = 'images/referrers/';

export function referrersPrefix(repository: string, subject: Digest): string {
  return `${REFERRER_RECORDS}${repository}/_subjects/${digestPath(subject)}/`;
}

export function referrerKey(repository: string, subject: Digest, referrer: Digest): string {
  return `${referrersPrefix(repository, subject)}${digestPath(referrer)}`;
}

/** What `referrerKey` built; `undefined` for a file that it did not. */
export function parseReferrerKey(
  key: string,
): { readonly repository: string; readonly subject: Digest; readonly referrer: Digest } | undefined {
  const match = /^(.+)\/_subjects\/([^/]+)\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(key.slice(REFERRER_RECORDS.length));
  if (!match || !key.startsWith(REFERRER_RECORDS)) return undefined;
  const [, repository = '', ...parts] = match;
  const [subject, referrer] = [`${parts[0]}:${parts[1]}`, `${parts[2]}:${parts[3]}`];
  return isRepositoryPath(repository) && isDigest(subject) && isDigest(referrer)
    ? { repository, subject, referrer }
    : undefined;
}

export const HISTORY = 'images/history/';

/** What is remembered of how manifests came (repositories/manifest-history). */
function historyPrefix(repository: string): string {
  return `${HISTORY}${repository}/_digests/`;
}

export function cameByDigestKey(repository: string, digest: Digest): string {
  return `${historyPrefix(repository)}by-digest/${digestPath(digest)}`;
}

export function byTagPrefix(repository: string): string {
  return `${historyPrefix(repository)}by-tag/`;
}

export function cameByTagKey(repository: string, digest: Digest): string {
  return `${byTagPrefix(repository)}${digestPath(digest)}`;
}

export function pulledKey(repository: string, digest: Digest): string {
  return `${historyPrefix(repository)}pulled/${digestPath(digest)}`;
}

/** What `pulledKey` built; `undefined` for other keys below `HISTORY`. */
export function parsePulledKey(key: string): { repository: string; digest: Digest } | undefined {
  const [, repository, algorithm, hex] =
    /^(.+)\/_digests\/pulled\/([^/]+)\/([^/]+)$/.exec(key.slice(HISTORY.length)) ?? [];
  const digest = `${algorithm}:${hex}`;
  return repository !== undefined && isDigest(digest) ? { repository, digest } : undefined;
}

export const PINS = 'images/pins/';

export function pinsPrefix(repository: string): string {
  return `${PINS}${repository}/`;
}

export function pinKey(repository: string, tagOrDigest: string): string {
  const isPinnedDigest = isDigest(tagOrDigest);
  return `${pinsPrefix(repository)}${isPinnedDigest ? `_digests/${digestPath(tagOrDigest)}` : `_tags/${tagOrDigest}`}`;
}

/** What `pinKey` built; `undefined` for a file that it did not. */
export function parsePinKey(key: string): { repository: string; reference: string } | undefined {
  const [, repository = '', tag, algorithm, hex] =
    /^(.+)\/(?:_tags\/([^/]+)|_digests\/([^/]+)\/([^/]+))$/.exec(key.slice(PINS.length)) ?? [];
  const reference = tag ?? `${algorithm}:${hex}`;
  const isKnown = isRepositoryPath(repository) && (tag === undefined ? isDigest(reference) : isTag(reference));
  return isKnown ? { repository, reference } : undefined;
}

export const BUILT = 'images/built/';

/** The name of an image that was built here, its host and path in full. */
export function builtKey(host: string, path: string, tag: string): string {
  return `${BUILT}${encodeURIComponent(host)}/${path}/_tags/${tag}`;
}

/** `HOST/PATH:TAG` of a key that `builtKey` built; `undefined` for a file that it did not. */
export function parseBuiltKey(key: string): string | undefined {
  if (!key.startsWith(BUILT)) return undefined;
  const name = parseNameKey(`${NAMES}${key.slice(BUILT.length)}`);
  return name && `${name.host}/${name.path}:${name.tag}`;
}
