// What all steps of a build share.
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { Instruction } from '../dockerfile/instructions.ts';
import type { TreeSource } from '../files/tree-source.ts';
import type { TimeRules } from '../layer/times.ts';
import type { BuildRequest, BuildSeams } from '../request.ts';
import type { BuildStage, StageGraph } from './graph.ts';
import type { StepSettings } from './layer-step.ts';
import type { StageLayer, StageState } from './state.ts';
import type { StageVariables } from './variables.ts';

export interface Build {
  readonly request: BuildRequest;
  readonly seams: BuildSeams;
  readonly call: CallOptions;
  readonly graph: StageGraph;
  readonly times: TimeRules;
  /** ISO 8601, as in history and config. */
  readonly created: string;
  /** ARGs before FROM, and the predefined variables. */
  readonly globals: ReadonlyMap<string, string>;
  readonly context: () => Promise<TreeSource>;
  /** Evaluates the stage, once for all callers. */
  stage(stage: BuildStage): Promise<StageState>;
  /** The layers of an image from which files are copied or mounted. */
  imageLayers(reference: string): Promise<readonly StageLayer[]>;
  /** The value of a build argument, which then counts as used. Unused ones are reported at the end. */
  useArg(name: string): string | undefined;
  warn(message: string): void;
}

/** The context in which one instruction is evaluated. */
export interface Step {
  readonly build: Build;
  readonly stage: BuildStage;
  readonly state: StageState;
  readonly variables: StageVariables;
  readonly settings: StepSettings;
  /** Id of the step in events. */
  readonly id: number;
}

/** For messages and events: the stage's name, or its number if it has none. */
export function stageLabel({ name, index }: BuildStage): string {
  return name ?? `${index}`;
}

export type Of<Kind extends Instruction['kind']> = Extract<Instruction, { readonly kind: Kind }>;
