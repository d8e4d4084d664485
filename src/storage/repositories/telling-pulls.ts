// A policy: tells which manifests clients have pulled, and from which repository. It belongs below the policy host-names, where a name has become a repository.
import type { Digest } from '../../oci/digest.ts';
import type { PulledBy, Registry } from '../../registry/contract.ts';
import { FORWARD, forwarding } from '../../registry/policies/forwarding.ts';

export interface Pull {
  readonly repository: string;
  readonly digest: Digest;
  /** Whether the client asked for a tag or for a digest. */
  readonly by: PulledBy;
}

/** A registry that tells `onPull` of each manifest that a client has pulled. */
export function tellingPulls(registry: Registry, onPull: (pull: Pull) => void): Registry {
  return forwarding<Registry>(registry, {
    getManifest: async (repository, reference, options) => {
      const manifest = await registry.getManifest(repository, reference, options);
      if (options?.pull !== undefined) onPull({ repository, digest: manifest.digest, by: options.pull });
      return manifest;
    },
    statManifest: FORWARD,
    getBlob: FORWARD,
    statBlob: FORWARD,
    putBlob: FORWARD,
    openUpload: FORWARD,
    mountBlob: FORWARD,
    putManifest: FORWARD,
    deleteTag: FORWARD,
    deleteManifest: FORWARD,
    deleteBlob: FORWARD,
    repositories: FORWARD,
    tags: FORWARD,
    referrers: FORWARD,
    partialBytes: FORWARD,
  });
}
