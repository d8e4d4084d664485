// The plan of a run, from those of its images: each blob once, and what there is to fetch.
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { CopyPlan, FailedImage, PlannedBlob } from './copy-plan.ts';
import type { PlanOutcome } from './plan-image.ts';

/** A blob that one image has at the destination is mounted from there for the others. */
export function assemblePlan(
  outcomes: readonly PlanOutcome[],
  failed: readonly FailedImage[],
  { configs, requestsMade }: Pick<CopyPlan, 'configs' | 'requestsMade'>,
): CopyPlan {
  const blobs = new Map<Digest, PlannedBlob>();
  const sizes = new Map<Digest, number>();
  const holders = new Map<Digest, Reference>();
  for (const { planned, missing } of outcomes) {
    for (const blob of planned.blobs) {
      sizes.set(blob.digest, blob.size);
      const present = missing.get(blob.digest);
      if (present === undefined) holders.set(blob.digest, planned.name);
      else blobs.set(blob.digest, { blob, present: Math.max(present, blobs.get(blob.digest)?.present ?? 0) });
    }
  }
  let bytes = 0;
  let fetches = 0;
  for (const [digest, { blob, present }] of blobs) {
    const from = holders.get(digest);
    if (from) blobs.set(digest, { blob, present: blob.size, from });
    else if (present < blob.size && !configs.has(digest)) fetches++;
    bytes += from ? 0 : blob.size - present;
  }
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return {
    images: outcomes.map((outcome) => outcome.planned),
    failed,
    blobs,
    configs,
    bytes,
    alreadyThere: total - bytes,
    requests: requestsMade + fetches,
    requestsMade,
  };
}
