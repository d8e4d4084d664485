// The store of the embedded registry: a directory, as a Registry. `lreg_*` commands use it in process, and the server serves it; several processes may at once.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFsError } from '../io/files/fs-errors.ts';
import type { Digest } from '../oci/digest.ts';
import { isImagesError } from '../oci/errors.ts';
import { isRepositoryPath } from '../oci/reference.ts';
import type { Registry } from '../registry/contract.ts';
import { FORWARD, forwarding } from '../registry/policies/forwarding.ts';
import { hostNames } from '../registry/policies/host-names.ts';
import { repositories } from '../registry/policies/name-lookup.ts';
import { type RegistryCall, told } from '../registry/policies/told.ts';
import { diskStore } from './drivers/staged-store.ts';
import { manifestHistory } from './repositories/manifest-history.ts';
import { nameRecords } from './repositories/name-records.ts';
import { withUnneeded } from './repositories/remove-unneeded.ts';
import { storedRegistry } from './repositories/stored-registry.ts';
import type { RegistryStore } from './store.ts';

export interface EmbeddedStore extends RegistryStore {
  readonly directory: string;
}

export interface EmbeddedStoreOptions {
  /** Told of each call that reaches the repositories. */
  readonly onCall?: (call: RegistryCall) => void;
}

/**
 * Opens the store in `directory`. It reads and makes nothing until that is needed, so opening is free, and a store that cannot be written to
 * can be read. There is nothing to close.
 */
export async function openEmbeddedStore(directory: string, options: EmbeddedStoreOptions = {}): Promise<EmbeddedStore> {
  const data = diskStore(directory);
  const stored = storedRegistry(data);
  const stripped = options.onCall ? told(stored, options.onCall) : stored;
  const names = nameRecords(data.objects);
  const named = hostNames(stripped, names);
  const store = { ...data, directory, registry: named, stripped, names };
  return { ...store, registry: keepingWhatIsNeeded(store) };
}

/** A policy: what is asked for by its digest stays without a tag; deleting also deletes what no other name needs, if that is requested. */
function keepingWhatIsNeeded(store: EmbeddedStore): Registry {
  const { registry, stripped } = store;
  const history = manifestHistory(store.objects);

  /** A manifest without a tag that somebody asks for by its digest stays. On a store that cannot be written to, nothing is collected. */
  async function remembered(repository: string, digest: Digest): Promise<void> {
    try {
      for (const name of repositories(repository).filter(isRepositoryPath)) await history.gotByDigest(name, digest);
    } catch (error) {
      if (!isImagesError(error, 'NO_ACCESS', 'READ_ONLY', 'NO_SPACE')) throw error;
    }
  }

  return forwarding<Registry>(registry, {
    getManifest: async (repository, reference, options) => {
      const manifest = await registry.getManifest(repository, reference, options);
      if (manifest.digest === reference) await remembered(repository, manifest.digest);
      return manifest;
    },
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
    deleteTag: async (repository, tag, { unneeded = false, ...call } = {}) => {
      const remove = () => registry.deleteTag(repository, tag, call);
      const found = unneeded ? await stripped.statManifest(repository, tag, call) : undefined;
      if (!found) return await remove();
      await withUnneeded({ digest: found.digest, tag }, { store, repository, ...call }, () =>
        remove().then(() => true),
      );
    },
    deleteManifest: async (repository, digest, { unneeded = false, ...call } = {}) => {
      const remove = () => registry.deleteManifest(repository, digest, call);
      if (!unneeded) return await remove();
      await withUnneeded({ digest }, { store, repository, ...call }, () => remove().then(() => true));
    },
  });
}

/** Whether the directory holds a store: one of this program, or a volume of docker registry:2. */
export async function embeddedStoreExists(directory: string): Promise<boolean> {
  const found = await Promise.all(['docker/registry/v2', 'images'].map((name) => isDirectory(join(directory, name))));
  return found.includes(true);
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
