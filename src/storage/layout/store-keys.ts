// Keys of what the keeper of the store remembers: of the whole store, and of blobs, whoever has them. registry:2 does not know them.
//
//   images/
//     format                                                    the version of this layout, in stores that were made by this program (repositories/store-format)
//     collected                                                 when garbage was last collected
//     retention                                                 the rules of retention whose effect somebody has seen (collector/retain)
//     clock                                                     the time of the last collection, and leaps of the clock (collector/store-time)
//     bytes                                                     how many bytes all blobs and uploads had, and when they were counted (quota/space)
//     added/WRITER                                              how many bytes this process has added since it began (quota/added-bytes)
//     space/YYYY-MM-DD                                          the space that was used on this day
//     check/asked, scheduled, last                              how far a check has come, and what the last one found (check/check-record); can be deleted
//     damaged/ALGORITHM/HEX                                     the mark of this blob says in doubt or damaged: a list of all such blobs
//     aside/ALGORITHM-HEX~OWNER                                 a blob that a collector looks at for the last time (collect-blobs)
//     used/ALGORITHM/HEX                                        a process that could not set this blob's time used the blob at this object's time
//     indexes/ALGORITHM/HEX                                     what is in this layer, for commands that look into images (rootfs/index-codec); can be deleted
//     build/KEY                                                 what is remembered of a build's step (build/layer/step-record); can be deleted
//     stage/XX/ID~OWNER, tmp/…                                  bytes on their way in (fs-ownership, fs-object-store)
import { type Digest, digestAlgorithm, digestHex, isDigest } from '../../oci/digest.ts';
import { digestPath } from './digest-path.ts';

export const FORMAT_KEY = 'images/format';
export const COLLECTED_KEY = 'images/collected';
export const RETENTION_KEY = 'images/retention';
export const CLOCK_KEY = 'images/clock';
export const SPACE_KEY = 'images/bytes';
export const ADDED = 'images/added/';
/** Samples of the space that is used, one a day. */
export const SPACE = 'images/space/';

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

/** Uses of blobs by processes that could not set the blobs' own times. */
export const USES = 'images/used/';

/** The time of this object is when a process that could not set the blob's own time used the blob. */
export function usedKey(digest: Digest): string {
  return `${USES}${digestPath(digest)}`;
}

export const LAYER_INDEXES = 'images/indexes/';

/** Where the index of a layer is kept, by the digest of its blob. */
export function layerIndexKey(digest: Digest): string {
  return `${LAYER_INDEXES}${digestPath(digest)}`;
}

export const BUILD_STEPS = 'images/build/';

/** `key` is hexadecimal digits. */
export function buildStepKey(key: string): string {
  return `${BUILD_STEPS}${key.slice(0, 2)}/${key}`;
}

/** The name of the stage of a blob: one for each digest, so that whoever wants the blob goes on with what is there. */
export function blobStageId(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest)}`;
}

/** Whether this is the name of a blob's stage, and not that of a session. */
export function isBlobStage(id: string): boolean {
  return isDigest(id.replace('-', ':'));
}
