// RUN: the request to the machine, and the layer of the changes.
import { ImagesError } from '../../oci/errors.ts';
import type { RunMount, RunNetwork, RunRequest, RunResult } from '../contract.ts';
import { heredocText, parseHeredoc } from '../dockerfile/heredoc.ts';
import type { RunInstruction } from '../dockerfile/instructions.ts';
import { mistake } from '../dockerfile/source.ts';
import { layerArchiveWriter } from '../files/layer-archive.ts';
import { userOf } from '../files/owners.ts';
import { rewritten } from '../layer/retime-layer.ts';
import { type Step, stageLabel } from './build.ts';
import { envOf } from './image-config.ts';
import { layerStep, type StepResult, type StepWork } from './layer-step.ts';
import { runMounts } from './run-mounts.ts';
import { shellOf } from './shell-form.ts';
import { accountsOf } from './state.ts';
import { withPosition } from './with-position.ts';

export interface RunResultOfStep extends StepResult {
  /** For the history. */
  readonly text: string;
}

/** Errors: BUILD_FAILED (the command fails), RUN_UNAVAILABLE, DOCKERFILE_INVALID. */
export async function runStep(step: Step, instruction: RunInstruction): Promise<RunResultOfStep> {
  const { build, state, settings } = step;
  const { config } = state;
  const { args, file } = commandOf(step, instruction);
  const env = environmentOf(step);
  const mounts = await runMounts(step, instruction);
  const directory = config.inner.WorkingDir ?? '/';
  const user = config.inner.User ?? '';
  const network = networkOf(step, instruction);
  const { platform, ignoreChownErrors } = build.request;
  const below = state.layers.map(({ id }) => id);
  const key = ['run', 1, below, args, file?.content ?? '', env, directory, user, network, mounts.id, platform];
  if (ignoreChownErrors) key.push('owners ignored');
  const result = await layerStep(key, settings, async () => {
    const accounts = await accountsOf(state.layers, build.call);
    const { proxies = new Map<string, string>() } = build.request;
    const request: RunRequest = {
      layers: state.layers.map(({ layer }) => layer),
      args,
      env: [
        ...env,
        ...[...proxies].filter(([name]) => !envOf(config).has(name)).map(([name, value]) => `${name}=${value}`),
        ...mounts.env,
      ],
      directory,
      user: userOf(user, accounts),
      network,
      mounts: [...mounts.mounts, ...(file ? [fileMount(file)] : [])],
      platform,
      onOutput: (chunk) => build.seams.onEvent?.({ type: 'output', id: step.id, stage: stageLabel(step.stage), chunk }),
    };
    return await execute(step, instruction, request);
  });
  return { ...result, text: historyOf(step, args) };
}

/** The Dockerfile's network, otherwise the user's. A Dockerfile cannot use a network that the user has disabled. Errors: DOCKERFILE_INVALID. */
function networkOf({ build }: Step, { network, statement }: RunInstruction): RunNetwork {
  const { network: given = 'host' } = build.request;
  if (network === 'host' && given !== 'host') {
    throw mistake(statement, `the network of the machine is not allowed by --network=${given}`, {
      at: Math.max(statement.text.indexOf('--network'), 0),
      length: '--network=host'.length,
      hint: 'Build with --network=host, or take it out of the Dockerfile.',
    });
  }
  return network === 'default' && given !== 'host' ? given : network;
}

interface InlineFile {
  readonly path: string;
  readonly content: string;
}

/** A heredoc that is the whole command is the shell's script; if it begins with `#!`, it is executed as a file. */
function commandOf(
  step: Step,
  { command, heredocs, statement }: RunInstruction,
): { args: readonly string[]; file?: InlineFile } {
  if (command.form === 'exec') {
    if (command.args.length > 0) return { args: command.args };
    throw mistake(statement, 'RUN needs a command');
  }
  const shell = shellOf(step.state.config.inner);
  const [first] = heredocs;
  if (!first) return { args: [...shell, command.text] };
  if (parseHeredoc(command.text)) {
    const content = heredocText(first);
    if (!content.startsWith('#!')) return { args: [...shell, content] };
    const path = `/dev/pipes/${first.name}`;
    return { args: [...shell, path], file: { path, content } };
  }
  const bodies = heredocs.map(({ content, name }) => `\n${content}${name}`).join('');
  return { args: [...shell, `${command.text}${bodies}`] };
}

function fileMount({ path, content }: InlineFile): RunMount {
  return { type: 'file', target: path, content: Buffer.from(content), mode: 0o755, uid: 0, gid: 0 };
}

/** The image's variables, then ARGs that have a value and are not variables of the image. */
function environmentOf({ state }: Step): readonly string[] {
  const env = state.config.inner.Env ?? [];
  const names = envOf(state.config);
  const args = [...state.args].filter(([name, value]) => value !== undefined && !names.has(name));
  return [...env, ...args.map(([name, value]) => `${name}=${value}`)];
}

async function execute(
  { build, settings }: Step,
  instruction: RunInstruction,
  request: RunRequest,
): Promise<StepWork | undefined> {
  const { runner } = build.seams;
  if (!runner) {
    throw new ImagesError('RUN_UNAVAILABLE', 'RUN cannot be executed here', {
      hint: 'Build it where commands can be run in a user namespace.',
    });
  }
  const result = await runner.run(request, build.call);
  if (result.status !== 0) {
    await result[Symbol.asyncDispose]();
    throw failed(instruction, result);
  }
  const archive = layerArchiveWriter(settings.times.of);
  const times: string[] = [];
  async function* bytes(): AsyncGenerator<Uint8Array> {
    try {
      yield* rewritten(result.changes, archive, (time) => times.push(time));
    } catch (error) {
      throw withPosition(instruction.statement, undefined, error);
    } finally {
      await result[Symbol.asyncDispose]();
    }
  }
  return {
    archive: bytes(),
    index: archive.index,
    times: () => times,
    isEmpty: () => archive.index().entries.length === 0,
  };
}

function failed(instruction: RunInstruction, { status, hint }: RunResult): ImagesError {
  const { excerpt, position, message } = mistake(instruction.statement, `the command failed [exit status ${status}]`);
  return new ImagesError('BUILD_FAILED', message, {
    excerpt,
    ...(position && { position }),
    hint: `What it said is above.${hint ? ` ${hint}` : ''}`,
  });
}

function historyOf({ state }: Step, args: readonly string[]): string {
  const env = envOf(state.config);
  const given = [...state.args].map(([name, value]) => `${name}=${env.get(name) ?? value ?? ''}`);
  const prefix = given.length > 0 ? [`|${given.length}`, ...given] : [];
  return `RUN ${[...prefix, ...args].join(' ')} # buildkit`;
}
