// Instructions that change only the configuration.
import type { CommandLine, Instruction } from '../dockerfile/instructions.ts';
import { mistake } from '../dockerfile/source.ts';
import type { Build, Of } from './build.ts';
import { healthcheckText, plainList, quotedList, withHistory } from './history.ts';
import { type Config, type ConfigHealthcheck, withEnv, withInner, withoutInner } from './image-config.ts';
import { portsOf } from './ports.ts';
import { isSignal, SIGNALS } from './signals.ts';
import type { StageState } from './state.ts';
import { expanded, expandedWords, type StageVariables } from './variables.ts';

export type ConfigInstruction = Exclude<Instruction, Of<'from' | 'run' | 'copy' | 'add' | 'workdir'>>;

/** Errors: DOCKERFILE_INVALID. */
export function applyConfig(
  build: Build,
  state: StageState,
  instruction: ConfigInstruction,
  variables: StageVariables,
): StageState {
  const { statement } = instruction;
  const { config } = state;
  const value = (word: string) => expanded(statement, word, variables);
  const noted = (changed: Config, text: string, more: Partial<StageState> = {}): StageState => ({
    ...state,
    ...more,
    config: withHistory(changed, { created: build.created, text, layer: false }),
  });
  switch (instruction.kind) {
    case 'arg':
      return applyArg(build, state, instruction, variables);
    case 'env': {
      const pairs = instruction.pairs.map((pair) => [value(pair.name), value(pair.value)] as const);
      const changed = pairs.reduce((each, [name, text]) => withEnv(each, name, text), config);
      return noted(changed, `ENV ${pairs.map(([name, text]) => `${name}=${text}`).join(' ')}`);
    }
    case 'label': {
      const pairs = instruction.pairs.map((pair) => [value(pair.name), value(pair.value)] as const);
      const changed = withInner(config, { Labels: { ...config.inner.Labels, ...Object.fromEntries(pairs) } });
      return noted(changed, `LABEL ${pairs.map(([name, text]) => `${name}=${text}`).join(' ')}`);
    }
    case 'maintainer':
      return noted({ ...config, top: { ...config.top, author: instruction.value } }, `MAINTAINER ${instruction.value}`);
    case 'cmd': {
      const args = commandOf(instruction.command, config);
      return noted(withInner(config, { Cmd: args, ArgsEscaped: true }), `CMD ${quotedList(args)}`, { hasCmd: true });
    }
    case 'entrypoint': {
      const args = commandOf(instruction.command, config);
      const set = args.length > 0 ? withInner(config, { Entrypoint: args }) : withoutInner(config, 'Entrypoint');
      return noted(state.hasCmd ? set : withoutInner(set, 'Cmd'), `ENTRYPOINT ${quotedList(args)}`);
    }
    case 'expose': {
      const ports = instruction.ports.flatMap((port) =>
        expandedWords(statement, port, variables).flatMap((word) => {
          const found = portsOf(word);
          if (found) return found;
          throw mistake(statement, `no port [${word}]`, {
            at: Math.max(statement.text.indexOf(port), 0),
            length: port.length,
            hint: 'Write 80, 80/udp or 8000-8010/tcp.',
          });
        }),
      );
      const exposed = Object.fromEntries(ports.map((port) => [port, {}]));
      return noted(
        withInner(config, { ExposedPorts: { ...config.inner.ExposedPorts, ...exposed } }),
        `EXPOSE ${plainList(ports)}`,
      );
    }
    case 'volume': {
      const volumes = instruction.volumes.map((volume) => {
        const path = value(volume);
        if (path !== '') return path;
        throw mistake(statement, `a volume without a path [${volume}]`);
      });
      const added = Object.fromEntries(volumes.map((volume) => [volume, {}]));
      return noted(
        withInner(config, { Volumes: { ...config.inner.Volumes, ...added } }),
        `VOLUME ${plainList(volumes)}`,
      );
    }
    case 'user': {
      const user = value(instruction.value);
      return noted(withInner(config, { User: user }), `USER ${user}`);
    }
    case 'stopsignal': {
      const signal = value(instruction.value);
      if (!isSignal(signal)) {
        const word = signal.toUpperCase().startsWith('SIG') ? signal : `SIG${signal}`;
        const at = Math.max(statement.text.indexOf(instruction.value), 0);
        throw mistake(statement, `no signal [${signal}]`, {
          at,
          length: instruction.value.length,
          ...(signal !== '' && { word, candidates: SIGNALS }),
        });
      }
      return noted(withInner(config, { StopSignal: signal }), `STOPSIGNAL ${signal}`);
    }
    case 'shell':
      return noted(withInner(config, { Shell: instruction.shell }), `SHELL ${plainList(instruction.shell)}`);
    case 'healthcheck': {
      const { test, interval, timeout, startPeriod, startInterval, retries } = instruction.health;
      const health: ConfigHealthcheck = {
        Test: test,
        ...(interval && { Interval: interval }),
        ...(timeout && { Timeout: timeout }),
        ...(startPeriod && { StartPeriod: startPeriod }),
        ...(startInterval && { StartInterval: startInterval }),
        ...(retries && { Retries: retries }),
      };
      return noted(withInner(config, { Healthcheck: health }), healthcheckText(health));
    }
    case 'onbuild':
      return { ...state, config: withInner(config, { OnBuild: [...(config.inner.OnBuild ?? []), instruction.text] }) };
  }
}

/** The shell form begins with the stage's shell. */
export function commandOf(command: CommandLine, { inner }: Config): readonly string[] {
  if (command.form === 'exec') return command.args;
  return [...shellOf(inner), command.text];
}

export function shellOf({ Shell }: Config['inner']): readonly string[] {
  return Shell && Shell.length > 0 ? Shell : ['/bin/sh', '-c'];
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
  const text = `ARG ${said.join(' ')}`;
  return { ...state, args, config: withHistory(state.config, { created: build.created, text, layer: false }) };
}
