// The result of a copy, or with a dry run the expected one: of `copy`, `lreg_upload`, `lreg_cache`, `lreg_preload`, `mkimage --upload`.

import type { CopyPlan, FailedImage } from '../../copy/copy-plan.ts';
import type { CopiedImage } from '../../copy/execute.ts';

export interface TransferResult {
  readonly dryRun: boolean;
  /** Full names of the images that were to be copied. */
  readonly planned: readonly string[];
  readonly copied: readonly CopiedImage[];
  readonly failed: readonly FailedImage[];
  /** The number of requests to the images' hosts: made, or with a dry run expected. */
  readonly requests: number;
  /** Bytes fetched, or with a dry run to be fetched. */
  readonly fetched: number;
  /** Bytes that the destination already had. */
  readonly alreadyThere: number;
}

/** The result that a plan predicts. */
export function expectedOf(plan: CopyPlan): Pick<TransferResult, 'requests' | 'fetched' | 'alreadyThere'> {
  return { requests: plan.requests, fetched: plan.bytes, alreadyThere: plan.alreadyThere };
}
