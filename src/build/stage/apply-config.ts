// Instructions that change only the configuration.
import type { Instruction } from '../dockerfile/instructions.ts';
import type { Build, Of } from './build.ts';
import { configChange } from './config-changes.ts';
import { withHistory } from './history.ts';
import { type Config, withInner } from './image-config.ts';
import type { StageState } from './state.ts';
import { expanded, type StageVariables } from './variables.ts';

export type ConfigInstruction = Exclude<Instruction, Of<'from' | 'run' | 'copy' | 'add' | 'workdir'>>;

/** Errors: DOCKERFILE_INVALID. */
export function applyConfig(
  build: Build,
  state: StageState,
  instruction: ConfigInstruction,
  variables: StageVariables,
): StageState {
  if (instruction.kind === 'arg') return applyArg(build, state, instruction, variables);
  if (instruction.kind === 'onbuild') return { ...state, config: withOnBuild(state.config, instruction.text) };
  const change = configChange(instruction, { state, variables });
  return { ...state, ...change.state, config: withEntry(build, change.config, change.text) };
}

function withEntry({ created }: Build, config: Config, text: string): Config {
  return withHistory(config, { created, text, layer: false });
}

/** Has no entry in the history. */
function withOnBuild(config: Config, text: string): Config {
  return withInner(config, { OnBuild: [...(config.inner.OnBuild ?? []), text] });
}

/** `--build-arg` overrides the default; without either, the value of an ARG before FROM is used. */
function applyArg(build: Build, state: StageState, instruction: Of<'arg'>, variables: StageVariables): StageState {
  const args = new Map(state.args);
  // In one ARG instruction, unlike in any other, each variable can use those before it.
  const lookup = (name: string) => variables.lookup(name) ?? args.get(name);
  const said = instruction.args.map(({ name, value }) => {
    const given = build.useArg(name);
    const own =
      value === undefined ? build.globals.get(name) : expanded(instruction.statement, value, { ...variables, lookup });
    const result = given ?? own;
    args.set(name, result);
    return result === undefined ? name : `${name}=${result}`;
  });
  return { ...state, args, config: withEntry(build, state.config, `ARG ${said.join(' ')}`) };
}
