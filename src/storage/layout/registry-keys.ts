// Keys of blobs, and of what repositories have: docker registry:2's layout (distribution, registry/storage/paths.go), so that a volume can be taken over and given
// back. Every key of the store is built and parsed in this folder.
//
//   docker/registry/v2/
//     blobs/ALGORITHM/XX/HEX/data                               every blob and manifest, once; XX: the first two digits of HEX
//     blobs/ALGORITHM/XX/HEX/mark                               why this blob is not trusted (blob-marks); registry:2 ignores it
//     repositories/NAME/
//       _layers/ALGORITHM/HEX/link                              NAME may read this blob
//       _manifests/revisions/ALGORITHM/HEX/link                 NAME has this manifest
//       _manifests/tags/TAG/current/link                        the digest that TAG is now
//       _manifests/tags/TAG/index/ALGORITHM/HEX/link            the digests that TAG was
//
// A link holds a digest as text. Names of repositories have no part that begins with `_`, so no key can be taken for another.
import { type Digest, digestAlgorithm, digestHex, isDigest } from '../../oci/digest.ts';
import { digestPath } from './digest-path.ts';

const ROOT = 'docker/registry/v2';
export const BLOBS = `${ROOT}/blobs/`;

export function blobKey(digest: Digest): string {
  return `${blobFolder(digest)}/data`;
}

/** Why the blob is not trusted. In the blob's own folder: a power cut that keeps the blob's name, which is made later, keeps the mark's name as well. */
export function markKey(digest: Digest): string {
  return `${blobFolder(digest)}/mark`;
}

function blobFolder(digest: Digest): string {
  return `${BLOBS}${digestAlgorithm(digest)}/${digestHex(digest).slice(0, 2)}/${digestHex(digest)}`;
}

export const REPOSITORIES = `${ROOT}/repositories/`;

export function repositoryPrefix(repository: string): string {
  return `${REPOSITORIES}${repository}/`;
}

/** The layer links of a repository: folders of algorithms. */
export function layersPrefix(repository: string): string {
  return `${repositoryPrefix(repository)}_layers/`;
}

export function layerLinkKey(repository: string, digest: Digest): string {
  return `${layersPrefix(repository)}${digestPath(digest)}/link`;
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

/** The digest in a link; `undefined` for a link that a power cut emptied or garbled: it counts as absent. */
export function parseLink(bytes: Uint8Array | undefined): Digest | undefined {
  const text = bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1').trim();
  return isDigest(text) ? text : undefined;
}

export function linkBytes(digest: Digest): Uint8Array {
  return Buffer.from(digest);
}
