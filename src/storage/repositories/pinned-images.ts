// A policy over the store: pinned tags and manifests are not deleted.
import type { Digest } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { Registry } from '../../registry/contract.ts';
import { FORWARD, forwarding } from '../../registry/policies/forwarding.ts';
import type { RegistryStore } from '../store.ts';
import { linkedManifest } from './list-manifests.ts';
import { type Pin, pinsIn } from './pins.ts';

/** Refuses to delete what is pinned. Errors: DENIED. */
export function keepingPinned(store: RegistryStore): Registry {
  const pins = pinsIn(store.objects);
  return forwarding<Registry>(store.registry, {
    getManifest: FORWARD,
    statManifest: FORWARD,
    getBlob: FORWARD,
    statBlob: FORWARD,
    repositories: FORWARD,
    tags: FORWARD,
    referrers: FORWARD,
    partialBytes: FORWARD,
    putBlob: FORWARD,
    openUpload: FORWARD,
    mountBlob: FORWARD,
    putManifest: FORWARD,
    deleteBlob: FORWARD,
    deleteTag: async (repository, tag, options) => {
      if (await pins.has({ repository, reference: tag })) throw isPinned({ repository, reference: tag });
      await store.registry.deleteTag(repository, tag, options);
    },
    deleteManifest: async (repository, digest, options) => {
      const [pin] = await pinsOfManifest(store, repository, digest);
      if (pin) throw isPinned(pin);
      await store.registry.deleteManifest(repository, digest, options);
    },
  });
}

/** The manifest's own pin, and those of tags that point to it. */
export async function pinsOfManifest(
  { objects }: Pick<RegistryStore, 'objects'>,
  repository: string,
  digest: Digest,
): Promise<readonly Pin[]> {
  const { tags, digests } = await pinsIn(objects).of(repository);
  const found: Pin[] = digests.has(digest) ? [{ repository, reference: digest }] : [];
  for (const tag of tags) {
    if ((await linkedManifest(objects, repository, tag)) === digest) found.push({ repository, reference: tag });
  }
  return found;
}

export function isPinned(pin: Pin): ImagesError {
  const name = pinnedName(pin);
  return new ImagesError('DENIED', `it is pinned [${name}]`, {
    hint: `\`images lreg_unpin ${name}\` lets it go, or \`images lreg_rm --force\` removes it all the same.`,
  });
}

/** The name as people write it: `app:1`, `app@sha256:…`. */
export function pinnedName({ repository, reference }: Pin): string {
  return `${repository}${reference.includes(':') ? '@' : ':'}${reference}`;
}
