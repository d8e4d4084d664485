// `RUN --mount`: what a command gets beside its root file system, and which of it is part of the key. Secrets are in no key.
import type { Layer } from '../../rootfs/contract.ts';
import { baseName } from '../../rootfs/path.ts';
import { walk } from '../../rootfs/tree.ts';
import { printableName } from '../../tar/names.ts';
import type { RunMount } from '../contract.ts';
import type { RunInstruction } from '../dockerfile/instructions.ts';
import { type Mount, parseMount } from '../dockerfile/mounts.ts';
import { mistake } from '../dockerfile/source.ts';
import { normalised } from '../files/globs.ts';
import type { TreeSource } from '../files/tree-source.ts';
import type { Step } from './build.ts';
import { idsBelow } from './files-sources.ts';
import { expanded } from './variables.ts';
import { layersFrom } from './without-image.ts';

export interface RunMounts {
  readonly mounts: readonly RunMount[];
  /** Variables for secrets and the agent's socket. */
  readonly env: readonly string[];
  /** The part of the key. */
  readonly id: unknown;
}

interface Prepared {
  readonly mount?: RunMount;
  readonly env?: string;
  readonly id: unknown;
}

/** Errors: DOCKERFILE_INVALID (also for a required secret that is not given). */
export async function runMounts(step: Step, instruction: RunInstruction): Promise<RunMounts> {
  const prepared: Prepared[] = [];
  for (const [at, text] of instruction.mounts.entries()) {
    const value = (word: string) => expanded(instruction.statement, word, step.variables);
    const mount = parseMount(instruction.statement, text, undefined, value);
    prepared.push(await prepare(step, instruction, mount, at));
  }
  return {
    mounts: prepared.flatMap(({ mount }) => (mount ? [mount] : [])),
    env: prepared.flatMap(({ env }) => (env ? [env] : [])),
    id: prepared.map(({ id }) => id),
  };
}

async function prepare(step: Step, instruction: RunInstruction, mount: Mount, at: number): Promise<Prepared> {
  switch (mount.type) {
    case 'bind': {
      const { layers, id } = await mountedLayers(step, instruction, mount.from);
      const target = targetOf(step, instruction, mount);
      const source = `/${normalised(mount.source ?? '/')}`;
      return {
        mount: { type: 'bind', target, layers, source, readOnly: mount.readOnly },
        id: ['bind', target, source, mount.readOnly, id],
      };
    }
    case 'cache': {
      const target = targetOf(step, instruction, mount);
      const { layers, id } = mount.from === undefined ? NOTHING : await mountedLayers(step, instruction, mount.from);
      const { readOnly, mode = 0o755, uid = 0, gid = 0, sharing = 'shared' } = mount;
      const source = `/${normalised(mount.source ?? '/')}`;
      const cacheId = mount.id ?? target;
      return {
        mount: { type: 'cache', target, id: cacheId, sharing, readOnly, mode, uid, gid, layers, source },
        id: ['cache', target, cacheId, source, readOnly, mode, uid, gid, id],
      };
    }
    case 'tmpfs': {
      const target = targetOf(step, instruction, mount);
      const size = mount.size === undefined ? {} : { size: mount.size };
      return { mount: { type: 'tmpfs', target, ...size }, id: ['tmpfs', target, mount.size ?? 0] };
    }
    case 'secret':
      return secret(step, instruction, mount);
    case 'ssh':
      return agent(step, instruction, mount, at);
  }
}

const NOTHING: { readonly layers: readonly Layer[]; readonly id: unknown } = { layers: [], id: '' };

async function mountedLayers(
  step: Step,
  instruction: RunInstruction,
  from: string | undefined,
): Promise<{ readonly layers: readonly Layer[]; readonly id: unknown }> {
  if (from === undefined) {
    const context = await step.build.context();
    refuseWhiteouts(instruction, context);
    return { layers: context.layers, id: await idsBelow(context, '/') };
  }
  if (from === 'scratch') return NOTHING;
  const { layers } = await layersFrom(step, instruction, from);
  return { layers: layers.map(({ layer }) => layer), id: layers.map(({ id }) => id) };
}

/** Refuses files named like whiteouts: a context is mounted as layers, in which such a name would delete a file. */
function refuseWhiteouts({ statement }: RunInstruction, { name, tree }: TreeSource): void {
  for (const { path } of walk(tree.root)) {
    if (!baseName(path).startsWith('.wh.')) continue;
    throw mistake(statement, `no mount can show a file of that name [${printableName(path)}]`, {
      at: Math.max(statement.text.indexOf('--mount'), 0),
      hint: `Leave it out of ${name} with .dockerignore.`,
    });
  }
}

function targetOf({ state }: Step, { statement }: RunInstruction, { target }: Mount): string {
  const given = target ?? '';
  const path = normalised(given.startsWith('/') ? given : `${state.config.inner.WorkingDir ?? '/'}/${given}`);
  if (path !== '' && target !== undefined) return `/${path}`;
  throw mistake(statement, `no path to mount to [${given}]`, {
    at: Math.max(statement.text.indexOf('--mount'), 0),
    hint: 'Write target=/path: the root itself cannot be one.',
  });
}

function secret(step: Step, { statement }: RunInstruction, mount: Mount): Prepared {
  const name = mount.source ?? mount.id ?? baseName(mount.target ?? '');
  const content = step.build.request.secrets?.get(name);
  const variable = mount.env === undefined ? undefined : mount.env || name;
  const target = mount.target ?? (variable === undefined ? `/run/secrets/${baseName(name)}` : undefined);
  const id = ['secret', name, target ?? '', variable ?? ''];
  if (!content) {
    if (!mount.required) return { id };
    const at = Math.max(statement.text.indexOf('--mount'), 0);
    throw mistake(statement, `a secret that is required is not given [${name}]`, {
      at,
      hint: `Add --secret=id=${name},src=FILE`,
    });
  }
  const { mode = 0o400, uid = 0, gid = 0 } = mount;
  const path =
    target === undefined
      ? undefined
      : `/${normalised(target.startsWith('/') ? target : `${step.state.config.inner.WorkingDir ?? '/'}/${target}`)}`;
  return {
    id,
    ...(path !== undefined && { mount: { type: 'file', target: path, content, mode, uid, gid } }),
    ...(variable !== undefined && { env: `${variable}=${Buffer.from(content).toString()}` }),
  };
}

function agent(step: Step, { statement }: RunInstruction, mount: Mount, at: number): Prepared {
  const name = mount.id ?? 'default';
  const socket = step.build.request.agents?.get(name);
  const target = mount.target ?? `/run/buildkit/ssh_agent.${at}`;
  const id = ['ssh', name, target];
  if (socket === undefined) {
    if (!mount.required) return { id };
    throw mistake(statement, `an ssh agent that is required is not given [${name}]`, {
      hint: 'Start one, so that $SSH_AUTH_SOCK names it.',
    });
  }
  const { mode = 0o600, uid = 0, gid = 0 } = mount;
  return { id, mount: { type: 'ssh', target, socket, mode, uid, gid }, env: `SSH_AUTH_SOCK=${target}` };
}
