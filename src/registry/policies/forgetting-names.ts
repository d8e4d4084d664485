// A policy: with a tag or a manifest go the full names that are recorded for it. It lies below what limits what an asker sees: who may delete and not pull must
// leave no names behind.
import type { Digest } from '../../oci/digest.ts';
import type { Registry } from '../contract.ts';
import { FORWARD, forwarding } from './forwarding.ts';
import type { NameRecord, NameRecords } from './full-names.ts';
import { spellings } from './name-lookup.ts';

/** Deleting a tag also deletes the full names that are recorded for the same image under this tag; deleting a manifest, those of all its tags. */
export function forgettingNames(registry: Registry, names: NameRecords): Registry {
  return forwarding<Registry>(registry, {
    getManifest: FORWARD,
    statManifest: FORWARD,
    getBlob: FORWARD,
    statBlob: FORWARD,
    putBlob: FORWARD,
    openUpload: FORWARD,
    mountBlob: FORWARD,
    putManifest: FORWARD,
    deleteBlob: FORWARD,
    repositories: FORWARD,
    tags: FORWARD,
    referrers: FORWARD,
    partialBytes: FORWARD,
    deleteTag: async (repository, tag, options) => {
      const descriptor = await registry.statManifest(repository, tag, options);
      await registry.deleteTag(repository, tag, options);
      if (descriptor) await forget(names, { repository, digest: descriptor.digest, tag });
    },
    deleteManifest: async (repository, digest, options) => {
      await registry.deleteManifest(repository, digest, options);
      await forget(names, { repository, digest });
    },
  });
}

/** Deletes the full names of this path that point to the image. */
async function forget(
  names: NameRecords,
  { repository, digest, tag }: { readonly repository: string; readonly digest: Digest; readonly tag?: string },
): Promise<void> {
  for (const path of spellings(repository)) {
    const records = tag === undefined ? names.ofPath(path) : await recordsOf(names, path, tag);
    for await (const record of records) {
      if (record.digest === digest) await names.delete(record.host, record.path, record.tag);
    }
  }
}

async function recordsOf(names: NameRecords, path: string, tag: string): Promise<readonly NameRecord[]> {
  return (await names.hostsOf(path, tag)).map((record) => ({ ...record, path, tag }));
}
