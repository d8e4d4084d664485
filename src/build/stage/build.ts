// What all steps of one build share.
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
  /** ISO 8601: what history and config say. */
  readonly created: string;
  /** ARG before FROM, and what every build knows. */
  readonly globals: ReadonlyMap<string, string>;
  readonly context: () => Promise<TreeSource>;
  /** Evaluated once, whoever asks. */
  stage(stage: BuildStage): Promise<StageState>;
  /** The layers of an image that is copied or mounted from. */
  imageLayers(reference: string): Promise<readonly StageLayer[]>;
  /** A build argument is used: the others are said at the end. */
  useArg(name: string): string | undefined;
  warn(message: string): void;
}

/** What one instruction is evaluated with. */
export interface Step {
  readonly build: Build;
  readonly stage: BuildStage;
  readonly state: StageState;
  readonly variables: StageVariables;
  readonly settings: StepSettings;
  /** Of the step's events. */
  readonly id: number;
}

/** For messages and events: `build`, or the number of one without a name. */
export function stageLabel({ name, index }: BuildStage): string {
  return name ?? `${index}`;
}

export type Of<Kind extends Instruction['kind']> = Extract<Instruction, { readonly kind: Kind }>;
