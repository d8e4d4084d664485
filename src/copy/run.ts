// One run of a copy: planning and execution share the limits, the events and the signal.
import type { CallOptions } from '../io/streams/bytes.ts';
import type { ImageSink } from '../transports/contract.ts';
import type { CopyImage, CopyPlan, PlanChoices } from './copy-plan.ts';
import type { OnCopyEvent } from './events.ts';
import { type CopyResult, executeIn } from './execute.ts';
import type { Concurrency } from './limits.ts';
import { planIn } from './plan.ts';
import { runControl } from './run-control.ts';

export interface RunOptions extends CallOptions {
  /** Images that fail are listed in the plan and in the result. If false, the first failure ends the run and is thrown. */
  readonly keepGoing?: boolean;
  /** Limits for planning and execution together. */
  readonly concurrency?: Concurrency;
  readonly onEvent?: OnCopyEvent;
}

export interface CopyRun {
  /** Like `planCopy`. `signal` ends only the planning. `onEvent` gets the events of planning instead of the run's. */
  plan(images: readonly CopyImage[], choices: PlanChoices & Omit<RunOptions, 'concurrency'>): Promise<CopyPlan>;
  /** Like `executePlan`, for a plan of this run. */
  execute(plan: CopyPlan): Promise<CopyResult>;
}

/** A run that copies to one sink: it plans, and executes the plan. */
export function copyRun(sink: ImageSink, options: RunOptions = {}): CopyRun {
  const control = runControl(options);
  return {
    plan: (images, choices) => planIn(control, images, sink, { ...options, ...choices }),
    execute: (plan) => executeIn(control, plan, sink, options),
  };
}
