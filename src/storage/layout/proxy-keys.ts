// Keys of what is remembered of pulls of what is not here: by the proxy (registry/pull-through), and of what was missed. Short commands need none of them.
//
//   images/
//     fetched/HOST/PATH/_tags/TAG                               the proxy fetched this tag: what it is, and when (repositories/fetched-tags)
//     missed                                                    what was asked for and not here (repositories/missed-images)
//     pending/HOST/PATH/_digests/ALGORITHM/HEX                  a manifest that was served before its blobs were here (repositories/pending-manifests)
import { type Digest, isDigest } from '../../oci/digest.ts';
import { isRepositoryPath } from '../../oci/reference.ts';
import { digestPath } from './digest-path.ts';
import { decodeHost, NAMES, parseNameKey } from './image-keys.ts';

export const FETCHED = 'images/fetched/';

export function fetchedKey(host: string, path: string, tag: string): string {
  return `${FETCHED}${encodeURIComponent(host)}/${path}/_tags/${tag}`;
}

/** What `fetchedKey` built; `undefined` for a file that it did not. */
export function parseFetchedKey(key: string): ReturnType<typeof parseNameKey> {
  return key.startsWith(FETCHED) ? parseNameKey(`${NAMES}${key.slice(FETCHED.length)}`) : undefined;
}

export const MISSED_KEY = 'images/missed';

export const PENDING = 'images/pending/';

export function pendingKey(host: string, path: string, digest: Digest): string {
  return `${PENDING}${encodeURIComponent(host)}/${path}/_digests/${digestPath(digest)}`;
}

/** What `pendingKey` built; `undefined` for a file that it did not. */
export function parsePendingKey(
  key: string,
): { readonly host: string; readonly path: string; readonly digest: Digest } | undefined {
  const [, folder = '', path = '', algorithm, hex] =
    /^([^/]+)\/(.+)\/_digests\/([^/]+)\/([^/]+)$/.exec(key.slice(PENDING.length)) ?? [];
  const [host, digest] = [decodeHost(folder), `${algorithm}:${hex}`];
  const isKnown = key.startsWith(PENDING) && host !== undefined && isRepositoryPath(path) && isDigest(digest);
  return isKnown ? { host, path, digest } : undefined;
}
