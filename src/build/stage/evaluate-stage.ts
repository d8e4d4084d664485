// Evaluates one stage, instruction by instruction, beginning with its base.
import { isImagesError, withoutUserinfo } from '../../oci/errors.ts';
import { formatPlatform, isImageFor, type Platform, parsePlatform } from '../../oci/platform.ts';
import type { Instruction } from '../dockerfile/instructions.ts';
import { parseTrigger } from '../dockerfile/parse.ts';
import { mistake } from '../dockerfile/source.ts';
import { applyConfig } from './apply-config.ts';
import { type Build, type Step, stageLabel } from './build.ts';
import { filesStep } from './files-step.ts';
import { type BuildStage, earlierStage } from './graph.ts';
import { withHistory } from './history.ts';
import { configOfBase, emptyConfig, envOf, withInner, withoutInner } from './image-config.ts';
import type { StepResult } from './layer-step.ts';
import { runStep } from './run-step.ts';
import type { StageLayer, StageState } from './state.ts';
import { expanded, type StageVariables } from './variables.ts';
import { withPosition } from './with-position.ts';
import { withoutImage } from './without-image.ts';
import { workdirStep } from './workdir-step.ts';

/** The last step id in events. Ids are unique over all builds of the process. */
let steps = 0;

export async function evaluateStage(build: Build, stage: BuildStage): Promise<StageState> {
  const base = await baseState(build, stage);
  const triggers = base.config.inner.OnBuild ?? [];
  let state: StageState = { ...base, config: withoutInner(base.config, 'OnBuild'), hasCmd: false };
  for (const [at, text] of triggers.entries()) {
    const trigger = parseTrigger(`ONBUILD ${at + 1} of ${stage.from.base.text}`, text);
    state = await evaluate(build, stage, state, trigger);
  }
  for (const instruction of stage.instructions) state = await evaluate(build, stage, state, instruction);
  return state;
}

/** Resolves FROM: scratch, an earlier stage, or an image. */
async function baseState(build: Build, stage: BuildStage): Promise<StageState> {
  const { from } = stage;
  const { statement } = from;
  const variables: StageVariables = {
    lookup: (name) => build.globals.get(name),
    escapeToken: build.request.dockerfile.escapeToken,
  };
  const name = expanded(statement, from.base.text, variables);
  if (name === '')
    throw mistake(statement, `FROM nothing [${from.base.text}]`, { at: from.base.at, length: from.base.text.length });
  const platform = from.platform === undefined ? build.request.platform : platformOf(build, stage, variables);
  const nothing = { layers: [], args: new Map<string, string>(), hasCmd: false, hasWorkdir: false };
  if (name === 'scratch') return { ...nothing, config: emptyConfig(platform) };
  const earlier = earlierStage(build.graph, stage.index, name);
  if (earlier) return await build.stage(earlier);
  try {
    const image = await build.seams.bases.image(name, platform, build.call);
    const layers = image.layers.map(
      (layer): StageLayer => ({ layer, id: layer.diffId ?? layer.descriptor.digest, isNew: false, instruction: '' }),
    );
    const config = configOfBase(image.config);
    const { os, architecture, variant } = config.top;
    // An image without an index has one platform only. If it is not the requested one, the image is used nevertheless, as by BuildKit, and this is reported.
    if (typeof os === 'string' && typeof architecture === 'string') {
      const own: Platform = { os, architecture, ...(typeof variant === 'string' && { variant }) };
      const where = `${statement.source.name}:${from.range.first}`;
      if (!isImageFor(own, platform))
        build.warn(`${where}: ${name} is for ${formatPlatform(own)}, not ${formatPlatform(platform)}`);
    }
    return { ...nothing, layers, config };
  } catch (error) {
    throw withoutImage(build.graph, stage.index, statement, { name, word: from.base, others: ['scratch'] }, error);
  }
}

function platformOf(build: Build, { from }: BuildStage, variables: StageVariables): Platform {
  const text = expanded(from.statement, from.platform ?? '', variables);
  try {
    return parsePlatform(text);
  } catch (error) {
    if (!isImagesError(error, 'PLATFORM_INVALID')) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    const word = from.platform?.replaceAll(/[${}]/g, '') ?? '';
    const at = Math.max(from.statement.text.indexOf('--platform'), 0);
    const candidates = text === '' ? [...build.globals.keys()] : [];
    throw mistake(from.statement, error.message, {
      at,
      length: 10,
      ...(text === '' && { word, candidates }),
      ...hint,
      cause: error,
    });
  }
}

async function evaluate(
  build: Build,
  stage: BuildStage,
  state: StageState,
  instruction: Instruction,
): Promise<StageState> {
  const env = envOf(state.config);
  const variables: StageVariables = {
    lookup: (name) => env.get(name) ?? state.args.get(name),
    escapeToken: build.request.dockerfile.escapeToken,
  };
  switch (instruction.kind) {
    case 'run':
    case 'copy':
    case 'add':
    case 'workdir':
      return await evaluateStep(build, stage, { state, variables }, instruction);
    case 'from':
      throw mistake(instruction.statement, 'FROM cannot stand here');
    default:
      return applyConfig(build, state, instruction, variables);
  }
}

type StepInstruction = Extract<Instruction, { readonly kind: 'run' | 'copy' | 'add' | 'workdir' }>;

async function evaluateStep(
  build: Build,
  stage: BuildStage,
  { state, variables }: Pick<Step, 'state' | 'variables'>,
  instruction: StepInstruction,
): Promise<StageState> {
  const { seams, request } = build;
  const id = ++steps;
  const label = stageLabel(stage);
  const text = withoutUserinfo(instruction.statement.text.trim());
  seams.onEvent?.({ type: 'step', id, stage: label, text });
  const settings = {
    ...build.call,
    blobs: seams.blobs,
    cache: seams.cache,
    times: build.times,
    compression: request.compression,
    noCache: request.noCache ?? false,
    onBytes: (count: number) => seams.onEvent?.({ type: 'bytes', id, count }),
  };
  const step: Step = { build, stage, state, variables, settings, id };
  const { result, history, workdir } = await dispatch(step, instruction).catch((error: unknown) => {
    throw isImagesError(error, ...GET_POSITION) ? withPosition(instruction.statement, undefined, error) : error;
  });
  seams.onEvent?.({ type: 'step-done', id, stage: label, text, cached: result.cached, why: result.why });
  const { layer } = result;
  const made: StageLayer | undefined = layer && { layer, id: result.id, isNew: true, instruction: history };
  const config = workdir === undefined ? state.config : withInner(state.config, { WorkingDir: workdir });
  return {
    ...state,
    hasWorkdir: state.hasWorkdir || workdir !== undefined,
    layers: made ? [...state.layers, made] : state.layers,
    config: withHistory(config, { created: build.created, text: history, layer: made !== undefined }),
  };
}

/** Errors for which this instruction is responsible: they get its position. */
const GET_POSITION = ['PATH_UNKNOWN', 'CONFIG_INVALID', 'RUN_UNAVAILABLE'] as const;

interface Dispatched {
  readonly result: StepResult;
  readonly history: string;
  readonly workdir?: string;
}

async function dispatch(step: Step, instruction: StepInstruction): Promise<Dispatched> {
  switch (instruction.kind) {
    case 'run': {
      const result = await runStep(step, instruction);
      return { result, history: result.text };
    }
    case 'workdir': {
      const result = await workdirStep(step, instruction);
      return { result, history: `WORKDIR ${result.path}`, workdir: result.path };
    }
    default: {
      const result = await filesStep(step, instruction);
      return { result, history: result.text };
    }
  }
}
