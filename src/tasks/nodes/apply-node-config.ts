// `node_config --apply` and `--remove`: the configuration of this node, changed with care. What others have written stays; what was there before comes back.
import { existsSync, readFileSync } from 'node:fs';
import { rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { checkInside } from '../../certificates/inside-root.ts';
import { SYSTEM_STORES, systemStore } from '../../certificates/trust-store.ts';
import { writeFileAtomically } from '../../io/files/atomic-file.ts';
import { isFsError, translatingFsErrors } from '../../io/files/fs-errors.ts';
import { behindLinks } from '../../io/files/special-file.ts';
import type { NodeFile, NodeRequest, NodeRuntime } from '../../nodes/node-file.ts';
import { nodeFiles } from '../../nodes/node-files.ts';
import { SYSTEM_CA } from '../../nodes/system-ca.ts';
import { checkArguments, objectWith, TEXT } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import { type NodeRecord, type RecordedFile, readNodeRecord, writeNodeRecord } from './node-record.ts';
import { type NodeChange, type NodeStep, stepFor, undoing } from './node-steps.ts';
import { checkNotOwnMachine } from './own-machine.ts';

export interface ChangeNodeOptions {
  /** `/`, or the root of a node's file system. */
  readonly root: string;
  /** Says what would be done, and does nothing. */
  readonly isDryRun?: boolean;
}

export interface NodeChanges {
  readonly changes: readonly NodeChange[];
  /** What has to be run on the node. */
  readonly commands: readonly string[];
}

/** Where there is one of these, the runtime is there. */
const SIGNS: readonly (readonly [NodeRuntime, readonly string[]])[] = [
  ['crio', ['etc/containers', 'usr/bin/podman', 'usr/bin/crio', 'usr/bin/skopeo']],
  ['containerd', ['etc/containerd', 'usr/bin/containerd', 'usr/local/bin/containerd']],
  ['docker', ['etc/docker', 'usr/bin/dockerd', 'usr/sbin/dockerd']],
  ['k3s', ['etc/rancher/k3s', 'usr/local/bin/k3s']],
  ['rke2', ['etc/rancher/rke2', 'usr/local/bin/rke2']],
];
const RESTARTS: readonly (readonly [path: string, command: string])[] = [
  ['etc/containerd/config.toml', 'systemctl restart containerd'],
  ['etc/docker/daemon.json', 'systemctl reload docker'],
  ['etc/rancher/k3s/registries.yaml', 'systemctl restart k3s'],
  ['etc/rancher/rke2/registries.yaml', 'systemctl restart rke2-server'],
];

/** The runtimes that a file system has, which pull images. */
export function runtimesThere(root: string): readonly NodeRuntime[] {
  checkArguments({ root: [root, TEXT] });
  const there = SIGNS.filter(([, paths]) => paths.some((path) => existsSync(join(root, path)))).map(([name]) => name);
  return there.filter((name) => name !== 'containerd' || !(there.includes('docker') && isCriOff(root)));
}

/** As packages of docker leave it: such a containerd pulls nothing by itself. */
function isCriOff(root: string): boolean {
  try {
    const text = readFileSync(join(root, 'etc/containerd/config.toml'), 'utf8');
    return /^\s*disabled_plugins\s*=\s*\[[^\]]*["'](?:cri|io\.containerd\.grpc\.v1\.cri)["']/m.test(text);
  } catch {
    return false;
  }
}

/**
 * Writes what is missing or different, each file atomically, after a record of what was there before. Again and again changes nothing more.
 * Errors: USAGE (no such root; the registry's own machine), CONFIG_INVALID (a link leads out of the root, the record), NO_ACCESS, NO_SPACE, READ_ONLY.
 */
export async function applyNodeConfig(request: NodeRequest, options: ChangeNodeOptions): Promise<NodeChanges> {
  checkArguments({ options: [options, objectWith({ root: TEXT })] });
  const root = rootOf(options);
  checkNotOwnMachine(request, root);
  const record = await readNodeRecord(root);
  const files = await withSystemCa(nodeFiles(request), root);
  await checkInside(root, placed(root, files));
  const steps = await Promise.all(files.map((file) => stepFor(file, root, record)));
  const wanted = new Set(files.map(({ path }) => path));
  const stale = record.files.filter(({ path }) => !wanted.has(path));
  const undone = await Promise.all(stale.map((entry) => undoing(entry, root)));
  const all = [...steps, ...undone].filter((step) => step !== undefined);
  if (!options.isDryRun) await carryOut(all, root, record);
  return outcome(all);
}

/** Takes out again what was written. What was changed since stays, if it cannot be told what is ours. Errors: as above. */
export async function removeNodeConfig(options: ChangeNodeOptions): Promise<NodeChanges> {
  checkArguments({ options: [options, objectWith({ root: TEXT })] });
  const root = rootOf(options);
  const record = await readNodeRecord(root);
  await checkInside(root, placed(root, record.files));
  const steps = (await Promise.all(record.files.map((entry) => undoing(entry, root)))).filter(
    (step) => step !== undefined,
  );
  if (!options.isDryRun) await carryOut(steps, root, record);
  return outcome(steps);
}

/** Errors: USAGE. */
function rootOf({ root }: ChangeNodeOptions): string {
  if (existsSync(root)) return resolve(root);
  throw new ImagesError('USAGE', `there is no such directory [${root}]`, {
    hint: 'It is the root of the file system of a node, such as /.',
  });
}

/** The record comes first: whenever this ends, it knows what was there before, and what may be there now. */
async function carryOut(steps: readonly NodeStep[], root: string, record: NodeRecord): Promise<void> {
  const entries = steps.flatMap(({ entry }) => entry ?? []);
  const going = record.files.filter(({ path }) => !entries.some((entry) => entry.path === path));
  const made = steps.flatMap(({ file, content }) => (content ? (missingDirectory(root, file) ?? []) : []));
  const directories = [...new Set([...record.directories, ...made])];
  const note = (files: readonly RecordedFile[]) => writeNodeRecord(root, { files, directories });
  if (entries.length > 0) await note([...entries, ...going]);
  for (const { file, what, content, like } of steps) {
    const path = join(root, file);
    if (what === 'stays') continue;
    if (!content) await translatingFsErrors(path, () => rm(path, { force: true }));
    else await writeInPlace(path, content, like ?? { mode: 0o644 });
  }
  await removeEmpty(
    going.map(({ path }) => path),
    directories,
    root,
  );
  await note(entries.map(({ earlier: _, ...entry }) => entry));
}

/** The topmost directory that has to be made for a file. */
function missingDirectory(root: string, file: string): string | undefined {
  let missing: string | undefined;
  for (let at = dirname(file); at !== '.' && !existsSync(join(root, at)); at = dirname(at)) missing = at;
  return missing;
}

/** A file that is mounted, as /etc/hosts of containers is, can only be written to. */
async function writeInPlace(path: string, content: Uint8Array, like: NonNullable<NodeStep['like']>): Promise<void> {
  const target = await behindLinks(path);
  try {
    await writeFileAtomically(target, content, { like });
  } catch (error) {
    if (!isFsError(error, 'EBUSY')) throw error;
    await writeFile(target, content);
  }
}

/** Directories of files that are not ours any more, which were made for them. A file may never have been written. */
async function removeEmpty(files: readonly string[], made: readonly string[], root: string): Promise<void> {
  const isMade = (path: string) => made.some((top) => path === top || path.startsWith(`${top}/`));
  const isRemoved = async (directory: string) =>
    await rmdir(join(root, directory)).then(
      () => true,
      (error: unknown) => isFsError(error, 'ENOENT'),
    );
  for (const file of files) {
    for (let at = dirname(file); isMade(at); at = dirname(at)) if (!(await isRemoved(at))) break;
  }
}

function outcome(steps: readonly NodeStep[]): NodeChanges {
  const changes = steps
    .filter(({ what, why }) => what !== 'stays' || why !== undefined)
    .map(({ path, what, why }) => ({ path, what, ...(why !== undefined && { why }) }));
  const changed = changes.filter(({ what }) => what !== 'stays').map(({ path }) => path);
  const restarts = RESTARTS.filter(([path]) => changed.includes(`/${path}`)).map(([, command]) => command);
  return { changes, commands: [...restarts, ...trustCommands(changes)] };
}

/** Where this system looks for CAs: not all look where Debian does. */
async function withSystemCa(files: readonly NodeFile[], root: string): Promise<readonly NodeFile[]> {
  if (!files.some(({ path }) => path === SYSTEM_CA)) return files;
  const { directory } = await systemStore(root);
  return files.map((file) =>
    file.path === SYSTEM_CA ? { ...file, path: `${directory}/${basename(SYSTEM_CA)}` } : file,
  );
}

function trustCommands(changes: readonly NodeChange[]): readonly string[] {
  return SYSTEM_STORES.flatMap(({ directory, command, afterRemoval = command }) => {
    const change = changes.find(({ path }) => path === `/${directory}/${basename(SYSTEM_CA)}`);
    if (!change || change.what === 'stays') return [];
    return [(change.what === 'remove' ? afterRemoval : command).join(' ')];
  });
}

function placed(root: string, files: readonly { readonly path: string }[]): readonly { readonly path: string }[] {
  return files.map(({ path }) => ({ path: join(root, path) }));
}
