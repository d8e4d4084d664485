// Probes what this machine can do by trying it. That programs are installed proves nothing: crun refuses hybrid cgroups, AppArmor revokes rights afterwards.
import { access, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ownIdentity } from '../../io/concurrency/process-identity.ts';
import { writeFileAtomically } from '../../io/files/atomic-file.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { isImagesError } from '../../oci/errors.ts';
import type { Lack, RunnerSettings } from './contract.ts';
import { execute, reasonIn } from './execute.ts';
import { findIds, type Ids } from './ids.ts';
import { missingPrograms, tarLack, whyNoNamespace, whyOneOwner } from './lacks.ts';
import { launchArchive } from './launch.ts';
import { createNamespaces, type Namespaces } from './namespace.ts';
import type { Programs } from './programs.ts';
import { type OverlayMode, overlayOptions } from './root-file-system.ts';
import { openRunnerDirectory, type RunnerDirectory } from './runner-directory.ts';
import { capabilitiesOn, type Launch, type Runtime } from './runtimes/contract.ts';
import { findRuntimes } from './runtimes/find-runtimes.ts';
import { removeTrees } from './unpack.ts';

export interface Ability {
  readonly ids: Ids;
  readonly namespaces: Namespaces;
  readonly runnerDirectory: RunnerDirectory;
  /** Absent if overlayfs is not available. */
  readonly overlay: OverlayMode | undefined;
  /** Those that work, best first; never empty. */
  readonly runtimes: readonly Runtime[];
  readonly wishes: readonly Lack[];
}

export type MachineFinding = { readonly ability: Ability } | { readonly lacks: readonly Lack[] };

export async function probeMachine(
  settings: RunnerSettings,
  programs: Programs,
  options: CallOptions,
): Promise<MachineFinding> {
  const lacks = await missingPrograms(programs);
  if (lacks.length > 0) return { lacks };
  const found = await findRuntimes(programs, settings.runtime);
  const mapper = (await programs.find('newuidmap')) && (await programs.find('newgidmap'));
  const likely = await findIds({ subordinate: mapper !== undefined });
  const overlayWanted = settings.overlay ?? true;
  const runnerDirectory = await openRunnerDirectory(settings.directory, likely);
  const known = await recall(runnerDirectory, found);
  if (known) {
    const ability = { ids: likely, namespaces: createNamespaces(likely, programs), runnerDirectory, ...known };
    return { ability: await withWishes(overlayWanted ? ability : { ...ability, overlay: undefined }, programs) };
  }
  const lack = await tarLack(programs);
  if (lack) return { lacks: [lack] };
  const tried = await tryIds(likely, programs);
  if ('lacks' in tried) return tried;
  return tryAll(
    { ...tried, runnerDirectory: await openRunnerDirectory(settings.directory, tried.ids), programs },
    found,
    overlayWanted,
    options,
  );
}

async function tryAll(
  trying: Trying,
  found: readonly Runtime[],
  overlayWanted: boolean,
  options: CallOptions,
): Promise<MachineFinding> {
  const { ids, namespaces, runnerDirectory, programs } = trying;
  const overlay = overlayWanted ? await tryOverlay(runnerDirectory, ids, namespaces) : undefined;
  const { runtimes, refusals } = await tryRuntimes(found, trying, options);
  if (runtimes.length === 0) return { lacks: refusals };
  if (overlayWanted) await remember(runnerDirectory, memoryKey(found), { overlay, runtimes });
  return { ability: await withWishes({ ids, namespaces, runnerDirectory, overlay, runtimes }, programs) };
}

async function withWishes(ability: Omit<Ability, 'wishes'>, programs: Programs): Promise<Ability> {
  const wish = await whyOneOwner(ability.ids, programs);
  return { ...ability, wishes: wish ? [wish] : [] };
}

type TriedIds = { readonly ids: Ids; readonly namespaces: Namespaces } | { readonly lacks: readonly Lack[] };

/** Tries to make a namespace and to mount something in it. Falls back to a single id if subordinate ids are refused. */
async function tryIds(ids: Ids, programs: Programs): Promise<TriedIds> {
  const namespaces = createNamespaces(ids, programs);
  const said = await namespaces.run('exec mount -t tmpfs images /tmp').then(
    ({ status, stderr }) => (status === 0 ? undefined : (reasonIn(stderr) ?? `status ${status}`)),
    (error: unknown) => {
      if (isImagesError(error, 'RUN_UNAVAILABLE')) return error.message;
      throw error;
    },
  );
  if (said === undefined) return { ids, namespaces };
  if (ids.owners === 'many' && ids.enter === 'user namespace')
    return tryIds(await findIds({ subordinate: false }), programs);
  return { lacks: [await whyNoNamespace(said, readSetting)] };
}

async function readSetting(path: string): Promise<string | undefined> {
  return readFile(path, 'latin1').catch(() => undefined);
}

/** Deletes a file in an overlay mount: this needs devices or attributes, which not every file system supports. */
const TRY_OVERLAY =
  'cd -- "$1" && mkdir l u w m && : >l/f && mount -t overlay -o "lowerdir=l,upperdir=u,workdir=w,$2" images m && rm m/f && [ ! -e m/f ]';

async function tryOverlay(
  runnerDirectory: RunnerDirectory,
  ids: Ids,
  namespaces: Namespaces,
): Promise<OverlayMode | undefined> {
  for (const mode of ['volatile', 'plain'] as const) {
    const directory = await runnerDirectory.claim('stage');
    const { status } = await namespaces.run(TRY_OVERLAY, { args: [directory, overlayOptions(ids, mode)] });
    await removeTrees([directory], namespaces);
    if (status === 0) return mode;
  }
  return undefined;
}

interface Trying {
  readonly ids: Ids;
  readonly namespaces: Namespaces;
  readonly runnerDirectory: RunnerDirectory;
  readonly programs: Programs;
}

/** Tries runtimes until one works that supports everything. */
async function tryRuntimes(
  found: readonly Runtime[],
  trying: Trying,
  options: CallOptions,
): Promise<{ readonly runtimes: readonly Runtime[]; readonly refusals: readonly Lack[] }> {
  const runtimes: Runtime[] = [];
  const refusals: Lack[] = [];
  for (const runtime of found) {
    const refusal = await tryRuntime(runtime, trying, options);
    if (refusal === undefined) runtimes.push(runtime);
    else
      refusals.push({
        what: `${runtime.name} does not work here [${refusal}]`,
        mend: 'Install another: sudo apt install runc',
      });
    if (refusal === undefined && runtime.can(EVERYTHING)) break;
  }
  return { runtimes, refusals };
}

const EVERYTHING = { user: { uid: 1, gid: 1, groups: [], home: '/' }, ignoreChown: true };

/** Runs a program of this machine in the machine's own root file system. Returns the reason if it fails. */
async function tryRuntime(
  runtime: Runtime,
  { ids, namespaces, runnerDirectory, programs }: Trying,
  options: CallOptions,
): Promise<string | undefined> {
  const directory = await runnerDirectory.claim('runs');
  const launch: Launch = {
    root: join(directory, 'm'),
    args: [(await programs.find('true')) ?? '/bin/true'],
    env: new Map([['PATH', programs.path]]),
    directory: '/',
    user: { uid: 0, gid: 0, groups: [], home: '/' },
    loopbackOnly: false,
    capabilities: capabilitiesOn({ ids, ownNetwork: false }),
    hostname: 'probe',
    ids,
    ignoreChown: false,
  };
  const said: string[] = [];
  try {
    const archive = launchArchive(runtime, launch, {
      lines: ['mkdir m', 'mount -o rbind / m'],
      files: [],
      headers: [],
    });
    const onOutput = (chunk: Uint8Array): void => void said.push(Buffer.from(chunk).toString());
    const { status, report } = await execute({ directory, archive, onOutput, ...options }, namespaces);
    if (status === 0) return undefined;
    return reasonIn(said.join('')) ?? reasonIn(report) ?? `status ${status}`;
  } finally {
    await removeTrees([directory], namespaces);
  }
}

interface Known {
  readonly overlay: OverlayMode | undefined;
  readonly runtimes: readonly Runtime[];
}

/** The findings stored since the machine started, if the programs are the same. */
async function recall(runnerDirectory: RunnerDirectory, found: readonly Runtime[]): Promise<Known | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(memory(runnerDirectory), 'utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    const { key, overlay, runtimes } = value as { key?: unknown; overlay?: unknown; runtimes?: unknown };
    if (key !== memoryKey(found) || !Array.isArray(runtimes)) return undefined;
    const known = found.filter(({ name }) => runtimes.includes(name));
    if (known.length !== runtimes.length || known.length === 0) return undefined;
    return { overlay: overlay === 'volatile' || overlay === 'plain' ? overlay : undefined, runtimes: known };
  } catch {
    return undefined;
  }
}

async function remember(runnerDirectory: RunnerDirectory, key: string, { overlay, runtimes }: Known): Promise<void> {
  const value = { key, overlay, runtimes: runtimes.map(({ name }) => name) };
  await writeFileAtomically(memory(runnerDirectory), JSON.stringify(value), { durable: false, mode: 0o600 });
}

/** Called when something failed that had worked before. */
export async function forget(runnerDirectory: RunnerDirectory): Promise<void> {
  await rm(memory(runnerDirectory), { force: true });
}

function memory(runnerDirectory: RunnerDirectory): string {
  return join(runnerDirectory.directory, 'machine');
}

/** `filtered`: the runtimes were tried with the system call filter, which not every build of a runtime supports. */
function memoryKey(found: readonly Runtime[]): string {
  return `filtered ${ownIdentity().split('.')[2]} ${found.map(({ name }) => name).join(' ')}`;
}

/** Whether programs of another architecture can run (binfmt_misc). Returns `undefined` if they can. */
export async function foreignLack(architecture: string): Promise<Lack | undefined> {
  const own = process.arch === 'x64' ? ['amd64', '386'] : process.arch === 'arm64' ? ['arm64', 'arm'] : [process.arch];
  if (own.includes(architecture)) return undefined;
  const emulator = QEMU[architecture] ?? architecture;
  try {
    await access(`/proc/sys/fs/binfmt_misc/qemu-${emulator}`);
    return undefined;
  } catch {
    return {
      what: `programs of this architecture do not run here [${architecture}]`,
      mend: 'Install an emulator: sudo apt install qemu-user-static binfmt-support',
    };
  }
}

const QEMU: Readonly<Record<string, string>> = {
  amd64: 'x86_64',
  arm64: 'aarch64',
  '386': 'i386',
  mips64le: 'mips64el',
};
