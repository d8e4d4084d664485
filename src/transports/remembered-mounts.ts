// Mounts blobs from repositories of a registry that are remembered to have them, instead of sending them.
import type { Descriptor } from '../oci/descriptor.ts';
import type { Registry } from '../registry/contract.ts';
import type { PutBlobOptions } from './contract.ts';
import type { MountSources } from './mount-sources.ts';

export interface RememberedMounts {
  /** Whether a repository is remembered that may have the blob. */
  isLikely(repository: string, blob: Descriptor): Promise<boolean>;
  /** Returns false if the blob must be sent. A repository that does not have it is forgotten. */
  mount(repository: string, blob: Descriptor, options?: PutBlobOptions): Promise<boolean>;
  remember(repository: string, blob: Descriptor): void;
  /** Waits until what is to be remembered is written. */
  written(): Promise<void>;
}

/** In bytes. A smaller blob is sent as quickly as it is mounted. */
const WORTH_MOUNTING = 1 << 15;

export function rememberedMounts(
  registry: Pick<Registry, 'mountBlob'>,
  sources: MountSources | undefined,
): RememberedMounts {
  const notes: Promise<void>[] = [];

  /** The repository that most probably has the blob. Only one is tried, because each further attempt would cost a request. */
  const sourceOf = async (repository: string, { digest, size }: Descriptor): Promise<string | undefined> => {
    if (!sources || size < WORTH_MOUNTING) return undefined;
    return (await sources.of(digest)).find((one) => one !== repository);
  };

  return {
    isLikely: async (repository, blob) => (await sourceOf(repository, blob)) !== undefined,
    mount: async (repository, blob, { onMount, ...call } = {}) => {
      const from = await sourceOf(repository, blob);
      if (from === undefined) return false;
      const isMounted = await registry.mountBlob(repository, blob.digest, from, call);
      onMount?.(from, isMounted);
      if (!isMounted) await sources?.forget(blob.digest, from);
      return isMounted;
    },
    remember: (repository, { digest, size }) => {
      if (sources && size >= WORTH_MOUNTING) notes.push(sources.remember(digest, repository));
    },
    written: async () => {
      await Promise.all(notes.splice(0));
    },
  };
}
