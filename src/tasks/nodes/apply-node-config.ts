// `node_config --apply` and `--remove`: the configuration of this node, changed with care. What others have written stays; what was there before comes back.
import { existsSync } from 'node:fs';
import { readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { checkInside } from '../../certificates/inside-root.ts';
import { makeDirectory, writeFileAtomically } from '../../io/files/atomic-file.ts';
import { isFsError, translatingFsErrors } from '../../io/files/fs-errors.ts';
import { behindLinks } from '../../io/files/special-file.ts';
import type { NodeFile, NodeRequest, NodeRuntime } from '../../nodes/node-file.ts';
import { nodeFiles } from '../../nodes/node-files.ts';
import { withoutShared, withShared } from '../../nodes/shared/merge-shared.ts';
import { SYSTEM_CA } from '../../nodes/system-ca.ts';
import { checkArguments, objectWith, TEXT } from '../../oci/arguments.ts';
import { containersConflict } from './containers-conflict.ts';
import { contentHash, type NodeRecord, type RecordedFile, readNodeRecord, writeNodeRecord } from './node-record.ts';

export interface ChangeNodeOptions {
  /** `/`, or the root of a node's file system. */
  readonly root: string;
  /** Says what would be done, and does nothing. */
  readonly isDryRun?: boolean;
}

export interface NodeChange {
  /** As the node sees it. */
  readonly path: string;
  /** `stays`: ours cannot be put into it, or taken out of it; `why` says the reason. */
  readonly what: 'write' | 'change' | 'restore' | 'remove' | 'stays';
  readonly why?: string;
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
  [SYSTEM_CA, 'update-ca-certificates'],
];

/** The runtimes that a file system has. */
export function runtimesThere(root: string): readonly NodeRuntime[] {
  checkArguments({ root: [root, TEXT] });
  return SIGNS.filter(([, paths]) => paths.some((path) => existsSync(join(root, path)))).map(([runtime]) => runtime);
}

/**
 * Writes what is missing or different, each file atomically, after a record of what was there before. Again and again changes nothing more.
 * Errors: CONFIG_INVALID (a link leads out of the root, the record), NO_ACCESS, NO_SPACE, READ_ONLY.
 */
export async function applyNodeConfig(request: NodeRequest, options: ChangeNodeOptions): Promise<NodeChanges> {
  checkArguments({ options: [options, objectWith({ root: TEXT })] });
  const root = resolve(options.root);
  const record = await readNodeRecord(root);
  const files = nodeFiles(request);
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
  const root = resolve(options.root);
  const record = await readNodeRecord(root);
  await checkInside(root, placed(root, record.files));
  const steps = (await Promise.all(record.files.map((entry) => undoing(entry, root)))).filter(
    (step) => step !== undefined,
  );
  if (!options.isDryRun) await carryOut(steps, root, record, { isLast: true });
  return outcome(steps);
}

interface Step extends NodeChange {
  /** Below the root. */
  readonly file: string;
  /** What is written; `undefined`: the file is removed. */
  readonly content?: Uint8Array;
  readonly like?: { readonly mode: number; readonly uid?: number; readonly gid?: number };
  /** What the record says of the file afterwards: `undefined` for nothing. */
  readonly entry?: RecordedFile;
}

async function stepFor(file: NodeFile, root: string, record: NodeRecord): Promise<Step | undefined> {
  const { path, mode, content: ours, shared } = file;
  const entry = record.files.find((known) => known.path === path);
  const bytes = await bytesOf(join(root, path));
  const before = bytes && new TextDecoder().decode(bytes);
  const isOurs = bytes !== undefined && entry?.wrote === contentHash(bytes);
  const step = { path: `/${path}`, file: path };
  const conflict = await containersConflict(path, root);
  if (conflict === 'set-elsewhere') return undefined;
  const merged =
    conflict !== undefined
      ? { refused: conflict }
      : shared
        ? withShared(shared, { before, ours, isOurs })
        : { text: ours };
  if ('refused' in merged) return { ...step, what: 'stays', why: merged.refused, ...(entry && { entry }) };
  if (merged.text === before) return entry && { ...step, what: 'stays', entry };
  const kept = entry?.before ?? (entry || !bytes ? undefined : await keptOf(join(root, path), bytes));
  const content = Buffer.from(merged.text);
  const wrote = contentHash(content);
  return {
    ...step,
    what: bytes ? 'change' : 'write',
    content,
    like: kept ?? { mode },
    entry: { path, wrote, ours, ...(shared && { shared }), ...(kept && { before: kept }) },
  };
}

async function undoing(entry: RecordedFile, root: string): Promise<Step | undefined> {
  const { path, wrote, ours, shared, before } = entry;
  const step = { path: `/${path}`, file: path };
  const bytes = await bytesOf(join(root, path));
  if (!bytes) return undefined;
  if (contentHash(bytes) === wrote) {
    if (!before) return { ...step, what: 'remove' };
    return { ...step, what: 'restore', content: Buffer.from(before.bytes, 'base64'), like: before };
  }
  if (before && Buffer.from(before.bytes, 'base64').equals(bytes)) return undefined;
  const left = withoutShared(shared, { changed: new TextDecoder().decode(bytes), ours });
  if (!left) return { ...step, what: 'remove' };
  if ('refused' in left) return { ...step, what: 'stays', why: left.refused };
  return { ...step, what: 'change', content: Buffer.from(left.text), like: await stat(join(root, path)) };
}

/** The record comes first: whatever happens then, it knows what was there before. */
async function carryOut(
  steps: readonly Step[],
  root: string,
  record: NodeRecord,
  { isLast = false } = {},
): Promise<void> {
  const entries = steps.flatMap(({ entry }) => entry ?? []);
  const going = record.files.filter(({ path }) => !entries.some((entry) => entry.path === path));
  const directories = [...record.directories];
  const note = (files: readonly RecordedFile[]) => writeNodeRecord(root, { files, directories });
  if (!isLast) await note([...entries, ...going]);
  for (const { file, what, content, like } of steps) {
    const path = join(root, file);
    if (what === 'stays') continue;
    if (!content) await translatingFsErrors(path, () => rm(path, { force: true }));
    else {
      const made = await translatingFsErrors(path, () => makeDirectory(dirname(path)));
      if (made !== undefined) directories.push(relative(root, made));
      await writeInPlace(path, content, like ?? { mode: 0o644 });
    }
  }
  if (isLast || steps.some(({ what }) => what === 'remove')) await removeEmpty(steps, directories, root);
  await note(isLast ? [] : entries);
}

/** A file that is mounted, as /etc/hosts of containers is, can only be written to. */
async function writeInPlace(path: string, content: Uint8Array, like: NonNullable<Step['like']>): Promise<void> {
  const target = await behindLinks(path);
  try {
    await writeFileAtomically(target, content, { like });
  } catch (error) {
    if (!isFsError(error, 'EBUSY')) throw error;
    await writeFile(target, content);
  }
}

/** Directories of removed files that were made for them. */
async function removeEmpty(steps: readonly Step[], made: readonly string[], root: string): Promise<void> {
  const isMade = (path: string) => made.some((top) => path === top || path.startsWith(`${top}/`));
  for (const { file, what } of steps) {
    if (what !== 'remove') continue;
    for (let at = dirname(file); isMade(at); at = dirname(at)) {
      if (
        !(await rmdir(join(root, at)).then(
          () => true,
          () => false,
        ))
      )
        break;
    }
  }
}

function outcome(steps: readonly Step[]): NodeChanges {
  const changes = steps
    .filter(({ what, why }) => what !== 'stays' || why !== undefined)
    .map(({ path, what, why }) => ({ path, what, ...(why !== undefined && { why }) }));
  const changed = changes.filter(({ what }) => what !== 'stays').map(({ path }) => path);
  const commands = RESTARTS.filter(([path]) => changed.includes(`/${path}`)).map(([, command]) => command);
  return { changes, commands };
}

async function bytesOf(path: string): Promise<Uint8Array | undefined> {
  try {
    return await translatingFsErrors(path, () => readFile(path));
  } catch (error) {
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

async function keptOf(path: string, bytes: Uint8Array): Promise<NonNullable<RecordedFile['before']>> {
  const { mode, uid, gid } = await stat(path);
  return { bytes: Buffer.from(bytes).toString('base64'), mode: mode & 0o7777, uid, gid };
}

function placed(root: string, files: readonly { readonly path: string }[]): readonly { readonly path: string }[] {
  return files.map(({ path }) => ({ path: join(root, path) }));
}
