// A copy in one call, for tests: takes names, returns the plan, the result and the events.
import { parsePlatformChoice } from '../../oci/platform.ts';
import { parseReference } from '../../oci/reference.ts';
import type { Registry } from '../../registry/contract.ts';
import type { ImageSink } from '../../transports/contract.ts';
import { registrySource } from '../../transports/registry-source.ts';
import type { CopyImage, CopyPlan, PlanOptions } from '../copy-plan.ts';
import type { CopyEvent } from '../events.ts';
import { type CopyResult, executePlan } from '../execute.ts';
import { planCopy } from '../plan.ts';

export interface Copied {
  readonly plan: CopyPlan;
  readonly result: CopyResult;
  readonly events: readonly CopyEvent[];
}

export interface CopyCase extends Omit<PlanOptions, 'platforms' | 'onEvent'> {
  readonly from: Registry;
  readonly to: ImageSink;
  /** `linux/amd64` when absent. */
  readonly platforms?: string;
  readonly onEvent?: (event: CopyEvent) => void;
}

/** Each name is used at the source and at the destination. */
export function images(from: Registry, names: readonly string[]): readonly CopyImage[] {
  return names.map((text) => {
    const name = parseReference(text);
    return { name, source: registrySource(from, name, { label: 'the source' }) };
  });
}

export function planOf(names: readonly string[], { from, to, platforms, ...options }: CopyCase): Promise<CopyPlan> {
  return planCopy(images(from, names), to, {
    ...options,
    platforms: parsePlatformChoice(platforms ?? 'linux/amd64'),
  });
}

export async function copy(names: readonly string[], options: CopyCase): Promise<Copied> {
  const events: CopyEvent[] = [];
  const onEvent = (event: CopyEvent) => {
    events.push(event);
    options.onEvent?.(event);
  };
  const plan = await planOf(names, { ...options, onEvent });
  const result = await executePlan(plan, options.to, { ...options, onEvent });
  return { plan, result, events };
}
