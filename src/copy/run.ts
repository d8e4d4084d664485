// One run of a copy: it plans and executes under the same limits, events and end.
import type { CallOptions } from '../io/streams/bytes.ts';
import type { ImageSink } from '../transports/contract.ts';
import type { OnCopyEvent } from './events.ts';
import { type CopyResult, executeIn } from './execute.ts';
import type { Concurrency } from './limits.ts';
import { type CopyImage, type CopyPlan, type PlanChoices, planIn } from './plan.ts';
import { runControl } from './run-control.ts';

export interface RunOptions extends CallOptions {
  /** Images that fail are listed in the plan and in the result; else the first failure ends the run and is thrown. */
  readonly keepGoing?: boolean;
  /** Of planning and execution together. */
  readonly concurrency?: Concurrency;
  readonly onEvent?: OnCopyEvent;
}

export interface CopyRun {
  /** As `planCopy`. `signal` ends the planning alone, `onEvent` gets its events in place of the run's. */
  plan(images: readonly CopyImage[], choices: PlanChoices & Omit<RunOptions, 'concurrency'>): Promise<CopyPlan>;
  /** As `executePlan`, of a plan of this run. */
  execute(plan: CopyPlan): Promise<CopyResult>;
}

/** Copies to one sink: plans, and executes what was planned. */
export function copyRun(sink: ImageSink, options: RunOptions = {}): CopyRun {
  const control = runControl(options);
  return {
    plan: (images, choices) => planIn(control, images, sink, { ...options, ...choices }),
    execute: (plan) => executeIn(control, plan, sink, options),
  };
}
