// The registry over a store, in its layers: repositories, the names with hosts, what must be kept.
import type { Digest } from '../oci/digest.ts';
import { isImagesError } from '../oci/errors.ts';
import { isRepositoryPath } from '../oci/reference.ts';
import type { Registry } from '../registry/contract.ts';
import { forgettingNames } from '../registry/policies/forgetting-names.ts';
import { FORWARD, forwarding } from '../registry/policies/forwarding.ts';
import type { NameRecords } from '../registry/policies/full-names.ts';
import { hostNames } from '../registry/policies/host-names.ts';
import type { ImageGlob } from '../registry/policies/image-glob.ts';
import { immutableTags } from '../registry/policies/immutable-tags.ts';
import { repositories } from '../registry/policies/name-lookup.ts';
import { type RegistryCall, told } from '../registry/policies/told.ts';
import { manifestHistory } from './repositories/manifest-history.ts';
import { nameRecords } from './repositories/name-records.ts';
import { keepingPinned } from './repositories/pinned-images.ts';
import { storedRegistry } from './repositories/stored-registry.ts';
import type { RegistryStore, Store } from './store.ts';

export interface RegistryStoreOptions {
  /** Told of each call that reaches the repositories. */
  readonly onCall?: (call: RegistryCall) => void;
  /** A policy over the repositories, below names with hosts. Only requests pass it, not what the store reads for itself. */
  readonly policy?: (repositories: Registry) => Registry;
  /** The same over the records of full names. */
  readonly namesPolicy?: (names: NameRecords) => NameRecords;
  /** Read at each write, so that a changed configuration is obeyed. */
  readonly rules?: () => Promise<StoreRules>;
  /** Called before something is written to a store in a directory: it throws where nothing is to be written. */
  readonly check?: () => Promise<void>;
}

/** What the configuration of the registry says about its store. */
export interface StoreRules {
  /** Tags that do not move once they are there. */
  readonly immutable?: readonly ImageGlob[];
  /** In bytes, for all blobs and unfinished uploads. Obeyed by stores in a directory (quota). */
  readonly quota?: number;
}

/** The registry as clients see it, and what it is made of. */
export function registryStore(data: Store, options: RegistryStoreOptions = {}): RegistryStore {
  const stored = storedRegistry(data);
  const stripped = options.onCall ? told(stored, options.onCall) : stored;
  const names = nameRecords(data.objects);
  const forgetting = forgettingNames(stripped, names);
  const asked = options.policy ? options.policy(forgetting) : forgetting;
  const named = hostNames(asked, options.namesPolicy ? options.namesPolicy(names) : names);
  const registry = options.rules ? immutableTags(named, immutableIn(options.rules), hostNames(stripped, names)) : named;
  const store = { ...data, registry, stripped, names };
  const kept = { ...store, registry: keepingWhatIsNeeded(store, asked) };
  return { ...kept, registry: keepingPinned(kept) };
}

function immutableIn(rules: () => Promise<StoreRules>): () => Promise<readonly ImageGlob[]> {
  return async () => (await rules()).immutable ?? [];
}

/**
 * A policy: what is asked for by its digest stays without a tag; deleting also deletes what no other name needs, if that is requested. `asked`: the repositories as
 * the client sees them, so that nobody keeps what stands where they may not look.
 */
function keepingWhatIsNeeded(store: RegistryStore, asked: Registry): Registry {
  const { registry, stripped } = store;
  const history = manifestHistory(store.objects);

  /** A manifest without a tag that somebody asks for by its digest stays. On a store that cannot be written to, nothing is collected. */
  async function remembered(repository: string, digest: Digest): Promise<void> {
    try {
      for (const name of repositories(repository).filter(isRepositoryPath)) {
        await history.gotByDigest(name, digest, async () => (await asked.statManifest(name, digest)) !== undefined);
      }
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
      const { withUnneeded } = await removing();
      await withUnneeded({ digest: found.digest, tag }, { store, repository, ...call }, () =>
        remove().then(() => true),
      );
    },
    deleteManifest: async (repository, digest, { unneeded = false, ...call } = {}) => {
      const remove = () => registry.deleteManifest(repository, digest, call);
      if (!unneeded) return await remove();
      const { withUnneeded } = await removing();
      await withUnneeded({ digest }, { store, repository, ...call }, () => remove().then(() => true));
    },
  });
}

/** Loaded when something is removed: most commands only read. */
function removing() {
  return import('./repositories/remove-name.ts');
}
