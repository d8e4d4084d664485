// A policy: a registry that tells of each call what was asked and what came of it. For who looks for a fault.
import type { Digest } from '../../oci/digest.ts';
import type { Registry } from '../contract.ts';
import { FORWARD, forwarding } from './forwarding.ts';

export interface RegistryCall {
  readonly call: keyof Registry;
  readonly repository?: string;
  /** A tag, a digest, an upload. */
  readonly what?: string;
  /** In a word or two: `found`, `absent`, `was there`, `written from byte 0`. */
  readonly outcome: string;
  /** Milliseconds until it was known. */
  readonly duration: number;
  /** Why it failed. */
  readonly error?: unknown;
}

/** Lists are as they are: they tell nothing before they are read. */
export function told(registry: Registry, onCall: (call: RegistryCall) => void): Registry {
  const tell = async <T>(
    asked: Pick<RegistryCall, 'call' | 'repository' | 'what'>,
    work: () => Promise<T>,
    outcome: (result: T) => string,
  ): Promise<T> => {
    const began = performance.now();
    const duration = () => performance.now() - began;
    try {
      const result = await work();
      onCall({ ...asked, outcome: outcome(result), duration: duration() });
      return result;
    } catch (error) {
      onCall({ ...asked, outcome: 'failed', duration: duration(), error });
      throw error;
    }
  };
  const isThere = (found: unknown) => (found === undefined ? 'absent' : 'found');
  const done = () => 'done';
  return forwarding<Registry>(registry, {
    getManifest: (repository, what, options) =>
      tell({ call: 'getManifest', repository, what }, () => registry.getManifest(repository, what, options), isThere),
    statManifest: (repository, what, options) =>
      tell({ call: 'statManifest', repository, what }, () => registry.statManifest(repository, what, options), isThere),
    getBlob: (repository, what, options) =>
      tell({ call: 'getBlob', repository, what }, () => registry.getBlob(repository, what, options), isThere),
    statBlob: (repository, what, options) =>
      tell({ call: 'statBlob', repository, what }, () => registry.statBlob(repository, what, options), isThere),
    putBlob: (repository, blob, open, options) => {
      let from: number | undefined;
      const opening: typeof open = (start) => {
        from = start;
        return open(start);
      };
      return tell(
        { call: 'putBlob', repository, what: blob.digest },
        () => registry.putBlob(repository, blob, opening, options),
        () => (from === undefined ? 'was there' : `written from byte ${from} of ${blob.size}`),
      );
    },
    openUpload: (repository, id, options) =>
      tell(
        { call: 'openUpload', repository, ...(id !== undefined && { what: id }) },
        () => registry.openUpload(repository, id, options),
        ({ size }) => `at byte ${size}`,
      ),
    mountBlob: (repository, what, from, options) =>
      tell(
        { call: 'mountBlob', repository, what },
        () => registry.mountBlob(repository, what, from, options),
        (mounted) => `${mounted ? 'mounted' : 'not'} from ${from ?? 'any'}`,
      ),
    putManifest: (repository, manifest, tags, options) =>
      tell(
        { call: 'putManifest', repository, what: [manifest.digest, ...tags].join(' ') },
        () => registry.putManifest(repository, manifest, tags, options),
        done,
      ),
    deleteTag: (repository, what, options) =>
      tell({ call: 'deleteTag', repository, what }, () => registry.deleteTag(repository, what, options), done),
    deleteManifest: (repository, what, options) =>
      tell(
        { call: 'deleteManifest', repository, what },
        () => registry.deleteManifest(repository, what, options),
        done,
      ),
    deleteBlob: (repository, what, options) =>
      tell({ call: 'deleteBlob', repository, what }, () => registry.deleteBlob(repository, what, options), done),
    partialBytes: (what: Digest) =>
      tell(
        { call: 'partialBytes', what },
        () => registry.partialBytes(what),
        (bytes) => `${bytes} bytes`,
      ),
    repositories: FORWARD,
    tags: FORWARD,
    referrers: FORWARD,
  });
}
