// The referrers of a manifest (distribution specification 1.1, "Listing Referrers"): a descriptor kept for each manifest with a `subject`.

import * as json from '../oci/decode.ts';
import { type Descriptor, decodeDescriptor } from '../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digestHex } from '../oci/digest.ts';
import { isImagesError } from '../oci/errors.ts';
import { decodeManifest, type Manifest, type RawManifest, referrerDescriptor } from '../oci/manifest.ts';
import { referrerKey, referrersPrefix } from './layout.ts';
import { readObject } from './links.ts';
import type { ObjectStore } from './object-store.ts';

export interface ReferrersIndex {
  /** Records the manifest under its subject, if it has one. */
  add(repository: string, raw: RawManifest, manifest: Manifest): Promise<void>;
  remove(repository: string, raw: RawManifest): Promise<void>;
  list(repository: string, subject: Digest, artifactType?: string): AsyncIterable<Descriptor>;
}

/** `find` reads a manifest of a repository by tag or digest. */
export function referrersIndex(
  objects: ObjectStore,
  find: (repository: string, tagOrDigest: string) => Promise<RawManifest | undefined>,
): ReferrersIndex {
  async function* recorded(repository: string, subject: Digest): AsyncGenerator<Descriptor> {
    for await (const { key } of objects.list(referrersPrefix(repository, subject))) {
      const bytes = await readObject(objects, key);
      const descriptor = bytes && readDescriptor(bytes);
      if (descriptor) yield descriptor;
    }
  }

  /** What clients pushed to a registry that has no referrers, as docker registry:2: an index under a tag ("Referrers Tag Schema"). */
  async function* tagged(repository: string, subject: Digest): AsyncGenerator<Descriptor> {
    const raw = await find(repository, `${digestAlgorithm(subject)}-${digestHex(subject)}`);
    const index = raw && readManifest(raw);
    if (index?.kind !== 'index') return;
    for (const descriptor of index.manifests) if (await find(repository, descriptor.digest)) yield descriptor;
  }

  return {
    add: async (repository, raw, manifest) => {
      if (!manifest.subject) return;
      const descriptor = JSON.stringify(referrerDescriptor(raw, manifest));
      const key = referrerKey(repository, manifest.subject.digest, raw.digest);
      await objects.put(key, Buffer.from(descriptor));
      await objects.sync([key]);
    },
    remove: async (repository, raw) => {
      const subject = readManifest(raw)?.subject;
      if (subject) await objects.delete([referrerKey(repository, subject.digest, raw.digest)]);
    },
    list: async function* (repository, subject, artifactType) {
      const seen = new Set<Digest>();
      for (const source of [recorded, tagged]) {
        for await (const descriptor of source(repository, subject)) {
          if (seen.has(descriptor.digest)) continue;
          seen.add(descriptor.digest);
          if (artifactType === undefined || descriptor.artifactType === artifactType) yield descriptor;
        }
      }
    },
  };
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
    if (isImagesError(error, 'MANIFEST_INVALID', 'DIGEST_INVALID', 'UNSUPPORTED')) return undefined;
    throw error;
  }
}
