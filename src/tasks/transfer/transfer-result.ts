// What a copy has done, or with a dry run would do: of `copy`, `lreg_upload`, `lreg_cache`, `lreg_preload`, `mkimage --upload`.
import type { CopiedImage } from '../../copy/execute.ts';
import type { CopyPlan, FailedImage } from '../../copy/plan.ts';

export interface TransferResult {
  readonly dryRun: boolean;
  /** What was to be copied, in full. */
  readonly planned: readonly string[];
  readonly copied: readonly CopiedImage[];
  readonly failed: readonly FailedImage[];
  /** Requests to the images' hosts: made, or with a dry run expected. */
  readonly requests: number;
  /** Bytes fetched, or with a dry run to be fetched. */
  readonly fetched: number;
  /** Bytes that were there already. */
  readonly held: number;
}

/** What the plan expects of itself. */
export function expectedOf(plan: CopyPlan): Pick<TransferResult, 'requests' | 'fetched' | 'held'> {
  return { requests: plan.requests, fetched: plan.bytes, held: plan.held };
}
