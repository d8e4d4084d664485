// Every key of the store is built and parsed here. The upper half is docker registry:2's layout (distribution, registry/storage/paths.go), so that a volume
// can be taken over and given back; the lower half is what registry:2 does not know.
//
//   docker/registry/v2/
//     blobs/ALGORITHM/XX/HEX/data                               every blob and manifest, once; XX: the first two digits of HEX
//     blobs/ALGORITHM/XX/HEX/mark                               why this blob is not simply believed (blob-marks); registry:2 does not know it and passes it over
//     repositories/NAME/
//       _layers/ALGORITHM/HEX/link                              NAME may read this blob
//       _manifests/revisions/ALGORITHM/HEX/link                 NAME has this manifest
//       _manifests/tags/TAG/current/link                        the digest that TAG is now
//       _manifests/tags/TAG/index/ALGORITHM/HEX/link            the digests that TAG was
//   images/
//     names/HOST/PATH/_tags/TAG                                 the digest that HOST/PATH:TAG is
//     referrers/NAME/_subjects/ALGORITHM/HEX/ALGORITHM/HEX      the second digest's descriptor: its manifest's subject is the first
//     history/NAME/_digests/by-tag/ALGORITHM/HEX                when this manifest last got or lost a tag: without one, it goes some time later
//     history/NAME/_digests/by-digest/ALGORITHM/HEX             this manifest came by its digest: it stays without a tag
//     history/NAME/_digests/pulled/ALGORITHM/HEX                how often this manifest was pulled, and when last
//     space/YYYY-MM-DD                                          the space that was used on this day
//     pins/NAME/_tags/TAG                                       the tag is not removed before it is unpinned (repositories/pins)
//     pins/NAME/_digests/ALGORITHM/HEX                          nor this manifest
//     retention                                                 which rules of retention somebody has seen the effect of (collector/retain)
//     bytes                                                     how many bytes all blobs and uploads have, and when they were counted (quota)
//     format                                                    the version of this layout, in stores that were made by this program (repositories/store-format)
//     collected                                                 when garbage was last collected
//     check/asked, scheduled, last                              how far a check has come, and what the last one found (check/check-record); can be deleted
//     built/HOST/PATH/_tags/TAG                                 the digest of an image that was built here; no repository has it before it is uploaded
//     build/KEY                                                 what is remembered of a build's step (build/layer/step-record); can be deleted
//     damaged/ALGORITHM/HEX                                     this blob is in doubt or damaged, says its mark: so that all of them can be listed
//     aside/ALGORITHM-HEX~OWNER                                 a blob that a collector looks at for the last time (collect-blobs)
//     used/ALGORITHM/HEX                                        who could not set this blob's time used it at this object's time
//     indexes/ALGORITHM/HEX                                     what is in this layer, for who looks into images (rootfs/index-codec); can be deleted
//     stage/XX/ID~OWNER, tmp/…                                  bytes on their way in (fs-ownership, fs-object-store)
//
// A link holds a digest as text. Names of repositories have no part that begins with `_`, so no key can be taken for another.
// The `:` of a host's port, and the `[` and `]` of an IPv6 address, are percent-encoded: keys are paths on every file system.
import { type Digest, digestAlgorithm, digestHex, isDigest } from '../oci/digest.ts';
import { isHostName, isRepositoryPath, isTag } from '../oci/reference.ts';

const ROOT = 'docker/registry/v2';
export const REPOSITORIES = `${ROOT}/repositories/`;
export const NAMES = 'images/names/';

export const BLOBS = `${ROOT}/blobs/`;
const BLOB = '/data';

export function blobKey(digest: Digest): string {
  return `${blobFolder(digest)}${BLOB}`;
}

/** The digest of a key below `BLOBS`; `undefined` for what is no blob, such as a mark. */
export function parseBlobKey(key: string): Digest | undefined {
  if (!key.endsWith(BLOB)) return undefined;
  const [algorithm, , hex] = key.slice(BLOBS.length).split('/');
  const digest = `${algorithm}:${hex}`;
  return isDigest(digest) && blobKey(digest) === key ? digest : undefined;
}

/** Blobs that a collector has put aside, each under a name of its own. */
export const ASIDE = 'images/aside/';

/** `owner` is the collector's identity, which has no `~`. */
export function asideKey(digest: Digest, owner: string): string {
  return `${ASIDE}${digestAlgorithm(digest)}-${digestHex(digest)}~${owner}`;
}

/** The digest of a name below `ASIDE`. */
export function parseAsideName(name: string): Digest | undefined {
  const digest = name.split('~')[0]?.replace('-', ':');
  return isDigest(digest) ? digest : undefined;
}

export function asideOwner(name: string): string {
  return name.slice(name.indexOf('~') + 1, name.lastIndexOf('.'));
}

/** A process that could not set the blob's time used it at the time of this object. */
export function usedKey(digest: Digest): string {
  return `images/used/${digestPath(digest)}`;
}

/**
 * A mark on a blob that is not simply believed. It is in the blob's own folder: a power cut that keeps the blob's name, which is made later, keeps this one too.
 */
export function markKey(digest: Digest): string {
  return `${blobFolder(digest)}/mark`;
}

function blobFolder(digest: Digest): string {
  return `${BLOBS}${digestAlgorithm(digest)}/${digestHex(digest).slice(0, 2)}/${digestHex(digest)}`;
}

export function repositoryPrefix(repository: string): string {
  return `${REPOSITORIES}${repository}/`;
}

export function layerLinkKey(repository: string, digest: Digest): string {
  return `${repositoryPrefix(repository)}_layers/${digestPath(digest)}/link`;
}

export function manifestsPrefix(repository: string): string {
  return `${repositoryPrefix(repository)}_manifests/`;
}

export function revisionsPrefix(repository: string): string {
  return `${manifestsPrefix(repository)}revisions/`;
}

export function revisionLinkKey(repository: string, digest: Digest): string {
  return `${revisionsPrefix(repository)}${digestPath(digest)}/link`;
}

export function tagsPrefix(repository: string): string {
  return `${manifestsPrefix(repository)}tags/`;
}

export function tagPrefix(repository: string, tag: string): string {
  return `${tagsPrefix(repository)}${tag}/`;
}

export function tagLinkKey(repository: string, tag: string): string {
  return `${tagPrefix(repository, tag)}current/link`;
}

export function tagIndexPrefix(repository: string, tag: string): string {
  return `${tagPrefix(repository, tag)}index/`;
}

export function tagIndexLinkKey(repository: string, tag: string, digest: Digest): string {
  return `${tagIndexPrefix(repository, tag)}${digestPath(digest)}/link`;
}

export function referrersPrefix(repository: string, subject: Digest): string {
  return `images/referrers/${repository}/_subjects/${digestPath(subject)}/`;
}

export function referrerKey(repository: string, subject: Digest, referrer: Digest): string {
  return `${referrersPrefix(repository, subject)}${digestPath(referrer)}`;
}

export const REFERRER_RECORDS = 'images/referrers/';

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

export function cameByDigestKey(repository: string, digest: Digest): string {
  return `${historyPrefix(repository)}by-digest/${digestPath(digest)}`;
}

export function byTagPrefix(repository: string): string {
  return `${historyPrefix(repository)}by-tag/`;
}

export function cameByTagKey(repository: string, digest: Digest): string {
  return `${byTagPrefix(repository)}${digestPath(digest)}`;
}

/** The digest of a key below `byTagPrefix`. */
export function parseByTagKey(repository: string, key: string): Digest | undefined {
  const digest = key.slice(byTagPrefix(repository).length).replace('/', ':');
  return isDigest(digest) ? digest : undefined;
}

export function nameTagsPrefix(host: string, path: string): string {
  return `${NAMES}${encodeURIComponent(host)}/${path}/_tags/`;
}

export function nameKey(host: string, path: string, tag: string): string {
  return `${nameTagsPrefix(host, path)}${tag}`;
}

/** Samples of the space that is used, one a day. */
export const SPACE = 'images/space/';
export const FORMAT_KEY = 'images/format';
export const PINS = 'images/pins/';
export const RETENTION_KEY = 'images/retention';
export const SPACE_KEY = 'images/bytes';
export const COLLECTED_KEY = 'images/collected';
export const BUILT = 'images/built/';
export const BUILD_STEPS = 'images/build/';

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

/** The layer links of a repository: folders of algorithms. */
export function layersPrefix(repository: string): string {
  return `${repositoryPrefix(repository)}_layers/`;
}

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

/** How far a check of all blobs has come. */
export function checkPositionKey(origin: 'asked' | 'scheduled'): string {
  return `images/check/${origin}`;
}

/** What the last check found. */
export const LAST_CHECK_KEY = 'images/check/last';

export const DAMAGED_PREFIX = 'images/damaged/';

export function damagedKey(digest: Digest): string {
  return `${DAMAGED_PREFIX}${digestPath(digest)}`;
}

/** `key` is hexadecimal digits. */
export function buildStepKey(key: string): string {
  return `${BUILD_STEPS}${key.slice(0, 2)}/${key}`;
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

/** Where the index of a layer is kept, by the digest of its blob. */
export function layerIndexKey(digest: Digest): string {
  return `images/indexes/${digestPath(digest)}`;
}

/** The name of the stage of a blob: one for each digest, so that whoever wants the blob goes on with what is there. */
export function blobStageId(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest)}`;
}

/** Whether this is the name of a blob's stage, and not that of a session. */
export function isBlobStage(id: string): boolean {
  return isDigest(id.replace('-', ':'));
}

/** What a link file says; `undefined` for one that a power cut emptied or garbled: it counts as absent. */
export function parseLink(bytes: Uint8Array | undefined): Digest | undefined {
  const text = bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1').trim();
  return isDigest(text) ? text : undefined;
}

export function linkBytes(digest: Digest): Uint8Array {
  return Buffer.from(digest);
}

function digestPath(digest: Digest): string {
  return `${digestAlgorithm(digest)}/${digestHex(digest)}`;
}
