// `lreg_rm` in a registry over HTTP. An embedded registry removes as it does locally, including what no other tag needs; other registries delete in their own way.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { decodeManifest, successors } from '../../oci/manifest.ts';
import { isIndexType } from '../../oci/media-types.ts';
import { DEFAULT_TAG, formatReference, type Reference } from '../../oci/reference.ts';
import type { Registry } from '../../registry/contract.ts';
import { callOptions, type TaskCall } from '../settings.ts';

const REQUESTS = 8;

export interface RemovalTarget {
  readonly reference: Reference;
  /** One of the possible paths of the image. */
  readonly path: string;
  readonly settings: TaskCall;
}

/** Returns false if the registry has no image under this path. Errors: UNSUPPORTED (it cannot delete, or not this tag alone), DENIED. */
export async function removeOverHttp(registry: Registry, target: RemovalTarget): Promise<boolean> {
  const { reference, path, settings } = target;
  const { digest, tag = DEFAULT_TAG } = reference;
  const descriptor = await registry.statManifest(path, digest ?? tag, callOptions(settings));
  if (!descriptor) return false;
  const options = { ...callOptions(settings), unneeded: true };
  try {
    if (digest !== undefined) await registry.deleteManifest(path, digest, options);
    else await registry.deleteTag(path, tag, options);
  } catch (error) {
    // The image was found by another path, which the caller tries next.
    if (isImagesError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) return false;
    if (!isImagesError(error, 'UNSUPPORTED')) throw error;
    if (digest !== undefined) throw deletesNothing(reference, error);
    await removeOnlyTag(registry, target, descriptor.digest);
  }
  return true;
}

/** docker-registry deletes only manifests, together with all their tags. That is correct only if no other tag points to the manifest or to an index that contains it. */
async function removeOnlyTag(registry: Registry, target: RemovalTarget, digest: Digest): Promise<void> {
  const { reference, path, settings } = target;
  const needing = await tagThatNeeds(registry, target, digest);
  if (needing) {
    throw new ImagesError('UNSUPPORTED', `the registry cannot remove this tag alone [${formatReference(reference)}]`, {
      hint: needing.isIndex
        ? `${path}:${needing.tag} is an index that lists this image: it would lose it.`
        : `${path}:${needing.tag} is the same image. To remove both: images lreg_rm ${path}@${digest}`,
    });
  }
  try {
    await registry.deleteManifest(path, digest, callOptions(settings));
  } catch (error) {
    throw isImagesError(error, 'UNSUPPORTED') ? deletesNothing(reference, error) : error;
  }
}

async function tagThatNeeds(
  registry: Registry,
  { reference, path, settings }: RemovalTarget,
  digest: Digest,
): Promise<{ readonly tag: string; readonly isIndex: boolean } | undefined> {
  const options = callOptions(settings);
  const tags = await Array.fromAsync(registry.tags(path, undefined, options));
  const others = tags.filter((tag) => tag !== (reference.tag ?? DEFAULT_TAG));
  const needs = await createLimiter(REQUESTS).map(
    others,
    async (tag) => {
      const meant = await registry.statManifest(path, tag, options);
      if (meant?.digest === digest) return [{ tag, isIndex: false }];
      const isIndex = meant !== undefined && isIndexType(meant.mediaType);
      return isIndex && (await lists(meant.digest)) ? [{ tag, isIndex }] : [];
    },
    settings.signal,
  );
  return needs.flat()[0];

  async function lists(index: Digest): Promise<boolean> {
    const { manifests } = successors(decodeManifest(await registry.getManifest(path, index, options)));
    return manifests.some((child) => child.digest === digest);
  }
}

function deletesNothing(reference: Reference, cause: unknown): ImagesError {
  return new ImagesError('UNSUPPORTED', `the registry does not delete [${formatReference(reference)}]`, {
    hint: 'Start it with deleting enabled: docker-registry wants REGISTRY_STORAGE_DELETE_ENABLED=true.',
    cause,
  });
}
