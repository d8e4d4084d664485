// A test double of a disk that loses unsynced data. The program runs on a real directory with recorder.mjs loaded, which records what its syncs have made durable.
// A power cut kills the program with SIGKILL, and replaces the directory with a state in which a disk could be then.
import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/**
 * What survives of unsynced data. `nothing`: neither names nor bytes. `names`: all names, as in file systems with a journal, and files are truncated
 * to their synced bytes, followed by zeros. `some`: the names in some directories, or with a journal the first so many changes of names, and some zeros. `all`: everything, as after a restart.
 */
export type Left = 'nothing' | 'names' | 'some' | 'all';

export interface ForgetfulDisk extends AsyncDisposable {
  /** The environment for processes that run until the next power cut. */
  env(): Readonly<Record<string, string>>;
  /** Called after all processes have ended. The restarted machine has another boot id. */
  cut(left: Left, random?: () => number): Promise<void>;
}

type Entry = readonly [name: string, id: string, isDirectory: boolean];
type Synced =
  | { readonly kind: 'directory'; readonly id: string; readonly entries: readonly Entry[] }
  | {
      readonly kind: 'names';
      readonly isDurable: boolean;
      readonly directories: readonly (readonly [string, readonly Entry[]])[];
    }
  | { readonly kind: 'file'; readonly id: string; readonly copy: string };

export interface ForgetfulDiskOptions {
  /**
   * The file system keeps changes of names in order, in a journal: the sync of any directory makes all earlier ones durable, and of later ones, the first so many survive. The bytes of files
   * survive as without a journal.
   */
  readonly hasJournal?: boolean;
}

/** `root` is the directory that loses unsynced data. It need not exist. */
export async function forgetfulDisk(
  root: string,
  { hasJournal = false }: ForgetfulDiskOptions = {},
): Promise<ForgetfulDisk> {
  const disk = `${root}.disk`;
  let boot = randomUUID();
  await mkdir(root, { recursive: true });
  await begin();

  /** Makes the current state durable. */
  async function begin(): Promise<void> {
    await rm(disk, { recursive: true, force: true });
    await mkdir(disk);
    const records: Synced[] = [];
    await note(root, records);
    await writeFile(join(disk, 'log'), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  }

  async function note(path: string, records: Synced[]): Promise<void> {
    const entries = await entriesOf(path);
    records.push({ kind: 'directory', id: await identify(path), entries });
    for (const [name, id, isDirectory] of entries) {
      if (isDirectory) {
        await note(join(path, name), records);
      } else {
        const copy = `boot-${records.length}`;
        await copyFile(join(path, name), join(disk, copy));
        records.push({ kind: 'file', id, copy });
      }
    }
  }

  return {
    env: () => ({
      POWER_CUT_ROOT: root,
      POWER_CUT_DISK: disk,
      POWER_CUT_BOOT: boot,
      ...(hasJournal && { POWER_CUT_JOURNAL: '1' }),
      NODE_OPTIONS: `--import=${resolve(import.meta.dirname, 'recorder.mjs')}`,
    }),
    cut: async (left, random = Math.random) => {
      const log = (await readFile(join(disk, 'log'), 'utf8')).trimEnd().split('\n');
      const records = log.map((line) => JSON.parse(line) as Synced);
      if (left !== 'all') {
        const remains = `${root}.after`;
        await rebuild({ root, disk, left, random, hasJournal, ...durable(records, left, random) }, remains);
        await rm(root, { recursive: true });
        await rename(remains, root);
      }
      boot = randomUUID();
      await begin();
    },
    [Symbol.asyncDispose]: async () => {
      await rm(disk, { recursive: true, force: true });
    },
  };
}

interface Durable {
  readonly directories: ReadonlyMap<string, readonly Entry[]>;
  readonly files: ReadonlyMap<string, string>;
}

function durable(records: readonly Synced[], left: Left, random: () => number): Durable {
  let directories = new Map<string, readonly Entry[]>();
  const files = new Map<string, string>();
  let later: Map<string, readonly Entry[]>[] = [];
  for (const record of records) {
    if (record.kind === 'directory') directories.set(record.id, record.entries);
    else if (record.kind === 'file') files.set(record.id, record.copy);
    else if (record.isDurable) [directories, later] = [new Map(record.directories), []];
    else later.push(new Map(record.directories));
  }
  const written = left === 'some' ? later[Math.floor(random() * (later.length + 1))] : undefined;
  return { directories: written ?? directories, files };
}

interface Cut extends Durable {
  readonly root: string;
  readonly disk: string;
  readonly left: Left;
  readonly hasJournal: boolean;
  readonly random: () => number;
}

async function rebuild(cut: Cut, to: string): Promise<void> {
  await mkdir(to);
  await rebuildDirectory(cut, { from: cut.root, id: await identify(cut.root), to });
}

/** `from` is the current path of the directory, if it still exists. */
async function rebuildDirectory(
  cut: Cut,
  { from, id, to }: { readonly from: string | undefined; readonly id: string; readonly to: string },
): Promise<void> {
  const synced = cut.directories.get(id) ?? [];
  const now = from === undefined ? [] : await entriesOf(from);
  // Renames are atomic in every file system: of a directory, either all changes survive, or none.
  const isNew = cut.left === 'names' || (cut.left === 'some' && !cut.hasJournal && cut.random() < 0.5);
  for (const name of new Set([...synced, ...now].map(([name]) => name))) {
    const before = synced.find((entry) => entry[0] === name);
    const after = now.find((entry) => entry[0] === name);
    const entry = isNew ? after : before;
    if (!entry) continue;
    const [, inode, isDirectory] = entry;
    const isThere = from !== undefined && after?.[1] === inode;
    const path = isThere ? join(from, name) : undefined;
    if (isDirectory) {
      await mkdir(join(to, name));
      await rebuildDirectory(cut, { from: path, id: inode, to: join(to, name) });
    } else {
      await rebuildFile(cut, { from: path, id: inode, to: join(to, name) });
    }
  }
}

/** The synced bytes, followed by zeros up to the file's size, or by nothing. */
async function rebuildFile(
  { disk, files, left, random }: Cut,
  { from, id, to }: { readonly from: string | undefined; readonly id: string; readonly to: string },
): Promise<void> {
  const copy = files.get(id);
  if (copy === undefined) await writeFile(to, '');
  else await copyFile(join(disk, copy), to);
  const size = from === undefined ? 0 : (await stat(from)).size;
  const hasZeros = left === 'names' || (left === 'some' && random() < 0.5);
  if (!hasZeros) return;
  await using handle = await open(to, 'r+');
  if (size > (await handle.stat()).size) await handle.truncate(size);
}

async function entriesOf(path: string): Promise<readonly Entry[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return Promise.all(
    entries.map(async (entry): Promise<Entry> => {
      return [entry.name, await identify(join(path, entry.name)), entry.isDirectory()];
    }),
  );
}

async function identify(path: string): Promise<string> {
  const { ino, birthtimeNs } = await stat(path, { bigint: true });
  return `${ino}-${birthtimeNs}`;
}
