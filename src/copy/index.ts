// What is public of copy/: images are copied from sources to a sink: a plan that lists what is missing, its execution, and typed events.

export type { WalkedImage } from './check-images.ts';
export type {
  CopyImage,
  CopyPlan,
  FailedImage,
  PlanChoices,
  PlannedBlob,
  PlannedImage,
  PlanOptions,
} from './copy-plan.ts';
export type { CopyEvent, NotFetched, OnCopyEvent } from './events.ts';
export { type CopiedImage, type CopyResult, type ExecuteOptions, executePlan } from './execute.ts';
export type { Concurrency } from './limits.ts';
export { planCopy } from './plan.ts';
export { type CopyRun, copyRun, type RunOptions } from './run.ts';
export type { ImageGraph } from './walk-image.ts';
export type { Attached as AttachedManifest } from './walk-referrers.ts';
