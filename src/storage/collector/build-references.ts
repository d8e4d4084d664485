// What was built here: images, which stay, and the results of steps, which are a cache.
import type { Digest } from '../../oci/digest.ts';
import { MAX_MANIFEST_SIZE } from '../../oci/manifest.ts';
import { BUILT } from '../layout/image-keys.ts';
import { parseLink } from '../layout/registry-keys.ts';
import { BUILD_STEPS } from '../layout/store-keys.ts';
import { wholeContent } from '../repositories/read-blob.ts';
import type { Store } from '../store.ts';
import { digestsIn } from './digests-in.ts';
import { type CollectionRun, inSteps } from './run.ts';

export interface BuildReferences {
  /** Digests of images that were built here, and of what they consist of. */
  readonly images: ReadonlySet<Digest>;
  /** Digests of what remembered steps and base images consist of. */
  readonly steps: ReadonlySet<Digest>;
}

export async function digestsOfBuilds({ objects, blobs }: Store, run: CollectionRun): Promise<BuildReferences> {
  const images = new Set<Digest>();
  const steps = new Set<Digest>();
  await inSteps(objects.list(BUILT), run, async ({ key }) => {
    const digest = parseLink(await objects.get(key));
    if (digest === undefined) return;
    images.add(digest);
    const bytes = await wholeContent(blobs, digest, MAX_MANIFEST_SIZE);
    for (const one of digestsIn(bytes ?? new Uint8Array())) images.add(one);
  });
  await inSteps(objects.list(BUILD_STEPS), run, async ({ key }) => {
    for (const digest of digestsIn((await objects.get(key)) ?? new Uint8Array())) steps.add(digest);
  });
  return { images, steps };
}

/** Deletes the records of steps whose layers are gone: the next build runs these steps again. */
export async function deleteBuildSteps(
  { objects }: Store,
  gone: ReadonlySet<Digest>,
  run: CollectionRun,
): Promise<void> {
  if (gone.size === 0) return;
  await inSteps(objects.list(BUILD_STEPS), run, async ({ key }) => {
    const digests = digestsIn((await objects.get(key)) ?? new Uint8Array());
    if ([...digests].some((digest) => gone.has(digest))) await objects.delete([key]);
  });
}
