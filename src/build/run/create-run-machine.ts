// RUN on this machine: prepares a root file system from the layers, runs the command in it with the best available runtime, and reads the changes.
import { join } from 'node:path';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Layer, LayerIndex } from '../../rootfs/contract.ts';
import { indexLayer } from '../../rootfs/layer-index.ts';
import type { RunRequest, RunResult, RunUser } from '../contract.ts';
import { cleanUp } from './clean-up.ts';
import type { Lack, Probe, RunMachine, RunnerSettings } from './contract.ts';
import { execute, notPrepared } from './execute.ts';
import { isMapped } from './ids.ts';
import { moreIds } from './lacks.ts';
import { launchArchive } from './launch.ts';
import { OwnerTrouble } from './owner-trouble.ts';
import { hostnameOf, type PreparedRun, prepareRun } from './prepare-run.ts';
import { findPrivateNetwork, NO_PRIVATE_NETWORK, type PrivateNetwork } from './private-network.ts';
import { type Ability, foreignLack, forget, type MachineFinding, probeMachine } from './probe.ts';
import { findPrograms } from './programs.ts';
import { openRunDirectory, type RunDirectory } from './run-directory.ts';
import { capabilitiesOn, type Launch } from './runtimes/contract.ts';
import { type RootUnpacking, removeTrees } from './unpack.ts';

const MAX_SNAPSHOT_BYTES = 20e9;

/** The implementation of RUN on this machine. Probes and creates nothing until it is used. */
export function createRunMachine(settings: RunnerSettings): RunMachine {
  const programs = findPrograms(settings.path);
  const machine = probedMachine((options) => probeMachine(settings, programs, options));
  const indexed = rememberedIndexes();
  let cleaned: Promise<number> | undefined;

  const unpackingOf = ({ ids, namespaces, runnerDirectory }: Ability): RootUnpacking => {
    return { ids, namespaces, runnerDirectory, ignoreChownErrors: settings.ignoreChownErrors ?? false };
  };
  const keepWithinBounds = (unpacking: RootUnpacking): Promise<number> => {
    cleaned ??= cleanUp(unpacking, { keepBytes: settings.maxSnapshotBytes ?? MAX_SNAPSHOT_BYTES });
    return cleaned;
  };

  return {
    async probe(options = {}): Promise<Probe> {
      const seen = await machine.find(options);
      if ('lacks' in seen) return { possible: false, lacks: seen.lacks };
      const { ids, runtimes, overlay, wishes } = seen.ability;
      const runtime = runtimes[0]?.name ?? 'unshare';
      const found = { owners: ids.owners, runtime, overlay: overlay !== undefined };
      return { possible: true, machine: found, wishes };
    },
    async check(platform: Platform, options: CallOptions = {}): Promise<void> {
      await machine.able(options);
      const lack = await foreignLack(platform.architecture);
      if (lack) throw unavailable([lack]);
    },
    async run(request: RunRequest, options: CallOptions = {}): Promise<RunResult> {
      const ability = await machine.able(options);
      const unpacking = unpackingOf(ability);
      const user = userFor(request.user, ability, settings);
      const network = request.network === 'private' ? await findPrivateNetwork(programs) : undefined;
      if (request.network === 'private' && !network) throw unavailable([NO_PRIVATE_NETWORK]);
      const run = await openRunDirectory(ability.runnerDirectory);
      const removed = () => removeTrees([run.directory], ability.namespaces);
      try {
        const held: AsyncDisposable[] = [];
        const trouble = new OwnerTrouble(ability.ids, request.onOutput);
        const { prepared, status } = await runPrepared(
          { request, user, ability, settings, unpacking, run, held, network, indexed, trouble },
          options,
        );
        const { tree, mountPoints, root } = prepared;
        const hint = status === 0 ? undefined : trouble.hint();
        return {
          status,
          ...(hint && { hint }),
          changes: root.changes({ tree, mountPoints, ids: ability.ids, user: request.user }),
          [Symbol.asyncDispose]: async () => {
            await removed();
            await keepWithinBounds(unpacking);
          },
        };
      } catch (error) {
        // The machine may have changed: probe it again next time.
        if (isImagesError(error, 'RUN_UNAVAILABLE')) machine.forget();
        await removed();
        throw error;
      }
    },
    async clean(options = {}): Promise<number> {
      return cleanUp(unpackingOf(await machine.able(options)), { ...options, keepBytes: 0 });
    },
  };
}

interface ProbedMachine {
  find(options: CallOptions): Promise<MachineFinding>;
  /** Errors: RUN_UNAVAILABLE. */
  able(options: CallOptions): Promise<Ability>;
  /** Probes again when it is asked next. */
  forget(): void;
}

/** Probes once. */
function probedMachine(probe: (options: CallOptions) => Promise<MachineFinding>): ProbedMachine {
  let found: Promise<MachineFinding> | undefined;
  const forgetFound = () => {
    found = undefined;
  };
  const find = (options: CallOptions): Promise<MachineFinding> => {
    if (!found) {
      found = probe(options);
      found.catch(forgetFound);
    }
    return found;
  };
  return {
    find,
    able: async (options) => {
      const seen = await find(options);
      if ('lacks' in seen) throw unavailable(seen.lacks);
      return seen.ability;
    },
    forget: forgetFound,
  };
}

/** Reads each layer once. */
function rememberedIndexes(): Running['indexed'] {
  const indexes = new WeakMap<Layer, Promise<LayerIndex>>();
  return async (layers, options) => {
    const wanted = layers.map((layer) => {
      const index = indexes.get(layer) ?? indexLayer(layer, options);
      indexes.set(layer, index);
      index.catch(() => indexes.delete(layer));
      return index;
    });
    return { layers, indexes: await Promise.all(wanted) };
  };
}

interface Running {
  readonly request: RunRequest;
  readonly user: RunUser;
  readonly ability: Ability;
  readonly settings: RunnerSettings;
  readonly unpacking: RootUnpacking;
  readonly run: RunDirectory;
  readonly held: AsyncDisposable[];
  readonly network: PrivateNetwork | undefined;
  readonly trouble: OwnerTrouble;
  indexed(
    layers: readonly Layer[],
    options: CallOptions,
  ): Promise<{ layers: readonly Layer[]; indexes: readonly LayerIndex[] }>;
}

/** Releases what is held (locks of caches, sockets) as soon as the command has ended. */
async function runPrepared(
  running: Running,
  options: CallOptions,
): Promise<{ readonly prepared: PreparedRun; readonly status: number }> {
  const { request, user, ability, settings, run, trouble, held } = running;
  try {
    const prepared = await prepareRun(request, running, options);
    const launch = launchOf(request, user, ability, { settings, run });
    const runtime = ability.runtimes.find((candidate) => candidate.can(launch));
    if (!runtime) throw unavailable([NO_RUNTIME]);
    const archive = launchArchive(runtime, launch, prepared);
    const onOutput = (chunk: Uint8Array): void => trouble.see(chunk);
    const execution = { directory: run.directory, archive, onOutput, ...options };
    const { status, report } = await execute(execution, ability.namespaces);
    if (status !== undefined) return { prepared, status };
    await forget(ability.runnerDirectory);
    throw notPrepared(report);
  } finally {
    for (const each of held) await each[Symbol.asyncDispose]();
  }
}

const NO_RUNTIME: Lack = {
  what: 'no runtime here can do that',
  mend: 'Install one that can: sudo apt install runc',
};

function launchOf(
  request: RunRequest,
  user: RunUser,
  { ids }: Ability,
  { settings, run }: { readonly settings: RunnerSettings; readonly run: RunDirectory },
): Launch {
  const env = new Map(
    request.env.map((variable): [string, string] => {
      const at = variable.indexOf('=');
      return [variable.slice(0, at), variable.slice(at + 1)];
    }),
  );
  if (!env.has('HOME')) env.set('HOME', user.home);
  return {
    root: join(run.directory, 'm'),
    args: request.args,
    env,
    directory: request.directory,
    user,
    loopbackOnly: request.network === 'none',
    capabilities: capabilitiesOn({ ids, ownNetwork: ['none', 'private'].includes(request.network) }),
    hostname: hostnameOf(settings),
    ids,
    ignoreChown: ids.owners === 'one' && settings.ignoreChownErrors === true,
  };
}

/** The user's ids on this machine. Errors: RUN_UNAVAILABLE (files cannot have this owner). */
function userFor(user: RunUser, { ids }: Ability, settings: RunnerSettings): RunUser {
  const groups = user.groups.filter((group) => isMapped(ids.gids, group));
  if (isMapped(ids.uids, user.uid) && isMapped(ids.gids, user.gid)) return { ...user, groups };
  if (settings.ignoreChownErrors) return { uid: 0, gid: 0, groups: [], home: user.home };
  throw new ImagesError(
    'RUN_UNAVAILABLE',
    `RUN as another user than root needs more ids than this user has [${user.uid}:${user.gid}]`,
    {
      hint: moreIds(ids, Math.max(user.uid, user.gid) + 1),
    },
  );
}

function unavailable(lacks: readonly Lack[]): ImagesError {
  const [first] = lacks;
  return new ImagesError('RUN_UNAVAILABLE', `RUN is not possible here: ${lacks.map(({ what }) => what).join('; ')}`, {
    ...(first && { hint: [...new Set(lacks.map(({ mend }) => mend))].join('; ') }),
  });
}
