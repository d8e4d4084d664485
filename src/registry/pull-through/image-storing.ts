// A manifest enters the store when all that it names is there: so every image of the store is whole, whoever looks at it. Until then it is known alone to the proxy.
import { createKeyedLimiter } from '../../io/concurrency/keyed-limiter.ts';
import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { Digest } from '../../oci/digest.ts';
import type { OnBehalf } from '../via-header.ts';
import type { BlobFetches } from './blob-fetches.ts';
import type { PullThroughOptions, PullThroughStore, TagOwner, UpstreamName, UpstreamTag } from './contract.ts';
import type { KnownManifest, KnownManifests } from './known-manifests.ts';
import { upstreamText } from './upstream-name.ts';

export interface ImageStoring {
  ownerOf(name: UpstreamTag): Promise<TagOwner>;
  /** Stores the manifest if nothing is missing any more. */
  take(known: KnownManifest): Promise<void>;
  /**
   * Somebody pulls this blob. With the first layer, all else that the image needs is fetched, too: nodes that have a layer from elsewhere never ask for it here.
   * A look at the config alone fetches nothing.
   */
  pulled(name: UpstreamName, digest: Digest, behalf: OnBehalf): void;
  /** Resolves when no image is being completed any more. */
  settled(): Promise<void>;
}

/** Blobs that nobody waits for. */
const UNASKED_FROM_A_HOST = 4;
const UNASKED_AT_ONCE = 32;

export interface StoringParts {
  readonly store: PullThroughStore;
  readonly known: KnownManifests;
  readonly blobs: BlobFetches;
}

export function imageStoring(
  { store, known, blobs }: StoringParts,
  { isFixed, onEvent, signal }: Pick<PullThroughOptions, 'isFixed' | 'onEvent' | 'signal'>,
): ImageStoring {
  const { stripped, names, fetched } = store;
  /** Whose a tag is, and what it is, are changed and looked at by one at a time. */
  const inTurn = createLimiter(1);
  const unasked = createKeyedLimiter({ each: UNASKED_FROM_A_HOST, all: UNASKED_AT_ONCE });
  const completing = new Map<string, Promise<void>>();

  async function isComplete({ name, named }: KnownManifest): Promise<boolean> {
    if (named.manifests.length > 0) {
      for (const { digest } of named.manifests) if (await stripped.statManifest(name.path, digest)) return true;
      return false;
    }
    for (const { digest } of named.blobs) if (!(await stripped.statBlob(name.path, digest))) return false;
    return true;
  }

  async function put(image: KnownManifest): Promise<void> {
    const { name, manifest } = image;
    const tags = [...image.tags];
    await inTurn(async () => {
      const moving: string[] = [];
      for (const tag of tags) {
        const mayMove = (await fetched.mayMove(name.path, tag)) && !(await isKept(name, tag));
        if (mayMove) moving.push(tag);
      }
      await stripped.putManifest(name.path, manifest, moving);
      for (const tag of tags) {
        await names.set(name.host, name.path, tag, manifest.digest);
        await fetched.note({ ...name, tag }, manifest.digest, { isMoved: moving.includes(tag) });
      }
    });
    await known.delete(image);
    onEvent?.({ type: 'stored', name, digest: manifest.digest, tags });
    for (const parent of known.parentsOf(name, manifest.digest)) await put(parent);
  }

  const isKept = async ({ path }: UpstreamName, tag: string) =>
    isFixed(path, tag) && (await stripped.statManifest(path, tag)) !== undefined;

  async function complete(image: KnownManifest, behalf: OnBehalf): Promise<void> {
    const storing: Promise<void>[] = [];
    for (const { digest, size, mediaType } of image.named.blobs) {
      if (await stripped.statBlob(image.name.path, digest)) continue;
      const ensure = () => blobs.ensure(image.name, { digest, size, mediaType }, behalf);
      storing.push((await unasked(image.name.host, ensure, signal)).stored);
    }
    await Promise.all(storing);
    if (await isComplete(image)) await put(image);
  }

  return {
    ownerOf: (name) => inTurn(() => fetched.ownerOf(name)),
    take: async (image) => {
      if (await isComplete(image)) await put(image);
    },
    pulled: (name, digest, behalf) => {
      for (const { known: image } of known.naming(name, digest)) {
        const { blobs: named } = image.named;
        if (named.length > 1 && named[0]?.digest === digest) continue;
        const key = upstreamText(name, image.manifest.digest);
        if (completing.has(key) || signal.aborted) continue;
        const work = complete(image, behalf)
          .catch((error: unknown) => {
            if (!signal.aborted) onEvent?.({ type: 'trouble', name, error });
          })
          .finally(() => completing.delete(key));
        completing.set(key, work);
      }
    },
    settled: async () => {
      await Promise.allSettled(completing.values());
    },
  };
}
