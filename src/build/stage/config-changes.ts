// What each instruction changes in the configuration, and the text of its entry in the history.
import { mistake, type Statement } from '../dockerfile/source.ts';
import type { Of } from './build.ts';
import { healthcheckText, plainList, quotedList } from './history.ts';
import { type Config, type ConfigHealthcheck, withEnv, withInner, withoutInner } from './image-config.ts';
import { portsOf } from './ports.ts';
import { commandOf } from './shell-form.ts';
import { isSignal, SIGNALS } from './signals.ts';
import type { StageState } from './state.ts';
import { expanded, expandedWords, type StageVariables } from './variables.ts';

export interface ConfigChange {
  readonly config: Config;
  readonly text: string;
  /** What the instruction changes beside the configuration. */
  readonly state?: Pick<StageState, 'hasCmd'>;
}

/** What an instruction finds: the stage before it. */
export interface InstructionContext {
  readonly state: StageState;
  readonly variables: StageVariables;
}

export type ChangingInstruction = Of<
  | 'env'
  | 'label'
  | 'maintainer'
  | 'cmd'
  | 'entrypoint'
  | 'expose'
  | 'volume'
  | 'user'
  | 'stopsignal'
  | 'shell'
  | 'healthcheck'
>;

/** Errors: DOCKERFILE_INVALID. */
export function configChange(instruction: ChangingInstruction, before: InstructionContext): ConfigChange {
  switch (instruction.kind) {
    case 'env':
      return env(instruction, before);
    case 'label':
      return label(instruction, before);
    case 'maintainer':
      return maintainer(instruction, before);
    case 'cmd':
      return cmd(instruction, before);
    case 'entrypoint':
      return entrypoint(instruction, before);
    case 'expose':
      return expose(instruction, before);
    case 'volume':
      return volume(instruction, before);
    case 'user':
      return user(instruction, before);
    case 'stopsignal':
      return stopSignal(instruction, before);
    case 'shell':
      return shell(instruction, before);
    case 'healthcheck':
      return healthcheck(instruction, before);
  }
}

type Pairs = readonly (readonly [name: string, text: string])[];

function pairsOf({ statement, pairs }: Of<'env' | 'label'>, { variables }: InstructionContext): Pairs {
  const value = (word: string) => expanded(statement, word, variables);
  return pairs.map((pair) => [value(pair.name), value(pair.value)]);
}

function pairsText(pairs: Pairs): string {
  return pairs.map(([name, text]) => `${name}=${text}`).join(' ');
}

function env(instruction: Of<'env'>, before: InstructionContext): ConfigChange {
  const pairs = pairsOf(instruction, before);
  const config = pairs.reduce((each, [name, text]) => withEnv(each, name, text), before.state.config);
  return { config, text: `ENV ${pairsText(pairs)}` };
}

function label(instruction: Of<'label'>, before: InstructionContext): ConfigChange {
  const { config } = before.state;
  const pairs = pairsOf(instruction, before);
  const Labels = { ...config.inner.Labels, ...Object.fromEntries(pairs) };
  return { config: withInner(config, { Labels }), text: `LABEL ${pairsText(pairs)}` };
}

function maintainer({ value }: Of<'maintainer'>, { state: { config } }: InstructionContext): ConfigChange {
  return { config: { ...config, top: { ...config.top, author: value } }, text: `MAINTAINER ${value}` };
}

function cmd({ command }: Of<'cmd'>, { state: { config } }: InstructionContext): ConfigChange {
  const args = commandOf(command, config);
  const changed = withInner(config, { Cmd: args, ArgsEscaped: true });
  return { config: changed, text: `CMD ${quotedList(args)}`, state: { hasCmd: true } };
}

/** Drops the CMD of a base: it was meant for the entry point of the base. */
function entrypoint({ command }: Of<'entrypoint'>, { state: { config, hasCmd } }: InstructionContext): ConfigChange {
  const args = commandOf(command, config);
  const set = args.length > 0 ? withInner(config, { Entrypoint: args }) : withoutInner(config, 'Entrypoint');
  return { config: hasCmd ? set : withoutInner(set, 'Cmd'), text: `ENTRYPOINT ${quotedList(args)}` };
}

function expose(
  { statement, ports: written }: Of<'expose'>,
  { state: { config }, variables }: InstructionContext,
): ConfigChange {
  const ports = written.flatMap((text) =>
    expandedWords(statement, text, variables).flatMap((word) => portsOf(word) ?? refusePort(statement, text, word)),
  );
  const ExposedPorts = { ...config.inner.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) };
  return { config: withInner(config, { ExposedPorts }), text: `EXPOSE ${plainList(ports)}` };
}

function refusePort(statement: Statement, written: string, word: string): never {
  throw mistake(statement, `not a port [${word}]`, {
    at: Math.max(statement.text.indexOf(written), 0),
    length: written.length,
    hint: 'Write 80, 80/udp or 8000-8010/tcp.',
  });
}

function volume(
  { statement, volumes: written }: Of<'volume'>,
  { state: { config }, variables }: InstructionContext,
): ConfigChange {
  const volumes = written.map((text) => {
    const path = expanded(statement, text, variables);
    if (path !== '') return path;
    throw mistake(statement, `a volume without a path [${text}]`);
  });
  const Volumes = { ...config.inner.Volumes, ...Object.fromEntries(volumes.map((path) => [path, {}])) };
  return { config: withInner(config, { Volumes }), text: `VOLUME ${plainList(volumes)}` };
}

function user({ statement, value }: Of<'user'>, { state: { config }, variables }: InstructionContext): ConfigChange {
  const User = expanded(statement, value, variables);
  return { config: withInner(config, { User }), text: `USER ${User}` };
}

function stopSignal(
  { statement, value }: Of<'stopsignal'>,
  { state: { config }, variables }: InstructionContext,
): ConfigChange {
  const signal = expanded(statement, value, variables);
  if (isSignal(signal)) return { config: withInner(config, { StopSignal: signal }), text: `STOPSIGNAL ${signal}` };
  const word = signal.toUpperCase().startsWith('SIG') ? signal : `SIG${signal}`;
  throw mistake(statement, `not a signal [${signal}]`, {
    at: Math.max(statement.text.indexOf(value), 0),
    length: value.length,
    ...(signal !== '' && { word, candidates: SIGNALS }),
  });
}

function shell({ shell: Shell }: Of<'shell'>, { state: { config } }: InstructionContext): ConfigChange {
  return { config: withInner(config, { Shell }), text: `SHELL ${plainList(Shell)}` };
}

function healthcheck({ health }: Of<'healthcheck'>, { state: { config } }: InstructionContext): ConfigChange {
  const { test, interval, timeout, startPeriod, startInterval, retries } = health;
  const Healthcheck: ConfigHealthcheck = {
    Test: test,
    ...(interval && { Interval: interval }),
    ...(timeout && { Timeout: timeout }),
    ...(startPeriod && { StartPeriod: startPeriod }),
    ...(startInterval && { StartInterval: startInterval }),
    ...(retries && { Retries: retries }),
  };
  return { config: withInner(config, { Healthcheck }), text: healthcheckText(Healthcheck) };
}
