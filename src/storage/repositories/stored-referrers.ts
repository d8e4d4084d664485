// The referrers of a manifest (distribution specification 1.1, "Listing Referrers"): a descriptor kept for each manifest with a `subject`.
import { mergeSortedBy } from '../../io/streams/merge-sorted.ts';
import * as json from '../../oci/decode.ts';
import { type Descriptor, decodeDescriptor } from '../../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digestHex, isDigest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { decodeManifest, type Manifest, type RawManifest, referrerDescriptor } from '../../oci/manifest.ts';
import { referrerKey, referrersPrefix } from '../layout/image-keys.ts';

import type { Objects } from '../objects.ts';

export interface ReferrersIndex {
  /** Records the manifest under its subject, if it has one. */
  add(repository: string, raw: RawManifest, manifest: Manifest): Promise<void>;
  remove(repository: string, raw: RawManifest): Promise<void>;
  /** Sorted by digest, after `after`; read lazily. */
  list(repository: string, subject: Digest, wanted?: WantedReferrers): AsyncIterable<Descriptor>;
}

export interface WantedReferrers {
  readonly artifactType?: string | undefined;
  readonly after?: string | undefined;
}

/** `find` reads a manifest of a repository by tag or digest. */
export function referrersIndex(
  objects: Objects,
  find: (repository: string, tagOrDigest: string) => Promise<RawManifest | undefined>,
): ReferrersIndex {
  async function* recorded(repository: string, subject: Digest, after: string): AsyncGenerator<Descriptor> {
    const prefix = referrersPrefix(repository, subject);
    // Digests and their keys sort alike; other texts do not.
    const afterKey = isDigest(after) ? referrerKey(repository, subject, after) : undefined;
    for await (const { key } of objects.list(prefix, afterKey)) {
      const bytes = await objects.get(key);
      const descriptor = bytes && readDescriptor(bytes);
      if (descriptor && descriptor.digest > after) yield descriptor;
    }
  }

  /** Referrers that clients pushed to a registry without the referrers API, such as docker registry:2: an index under a tag ("Referrers Tag Schema"). */
  async function* tagged(repository: string, subject: Digest, after: string): AsyncGenerator<Descriptor> {
    const raw = await find(repository, `${digestAlgorithm(subject)}-${digestHex(subject)}`);
    const index = raw && readManifest(raw);
    if (index?.kind !== 'index') return;
    const later = index.manifests.filter(({ digest }) => digest > after);
    for (const descriptor of later.sort((a, b) => (a.digest < b.digest ? -1 : 1))) {
      if (await find(repository, descriptor.digest)) yield descriptor;
    }
  }

  return {
    add: (repository, raw, manifest) => recordReferrer(objects, repository, raw, manifest),
    remove: async (repository, raw) => {
      const subject = readManifest(raw)?.subject;
      if (subject) await objects.delete([referrerKey(repository, subject.digest, raw.digest)]);
    },
    list: async function* (repository, subject, { artifactType, after = '' } = {}) {
      const streams = [recorded, tagged].map((source) => source(repository, subject, after));
      let last = '';
      for await (const descriptor of mergeSortedBy(({ digest }) => digest, streams)) {
        // The index under a tag may contain duplicates.
        if (descriptor.digest === last) continue;
        last = descriptor.digest;
        if (artifactType === undefined || descriptor.artifactType === artifactType) yield descriptor;
      }
    },
  };
}

/** Records the manifest under its subject, if it has one. */
export async function recordReferrer(
  objects: Objects,
  repository: string,
  raw: RawManifest,
  manifest: Manifest,
): Promise<void> {
  if (!manifest.subject) return;
  const descriptor = JSON.stringify(referrerDescriptor(raw, manifest));
  const key = referrerKey(repository, manifest.subject.digest, raw.digest);
  await objects.put(key, Buffer.from(descriptor));
  await objects.sync([key]);
}

function readDescriptor(bytes: Uint8Array): Descriptor | undefined {
  return ifValid(() => decodeDescriptor(json.parseJson(bytes, 'referrer'), 'referrer'));
}

function readManifest(raw: RawManifest): Manifest | undefined {
  return ifValid(() => decodeManifest(raw));
}

function ifValid<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isImagesError(error, 'MANIFEST_INVALID', 'UNSUPPORTED')) return undefined;
    throw error;
  }
}
