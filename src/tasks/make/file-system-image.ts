// A store as an image of a read-only file system, squashfs or erofs. External programs convert the store's archive to it, and back.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startedProgram } from '../../io/concurrency/started-programs.ts';
import { translatingFsErrors } from '../../io/files/fs-errors.ts';
import { pipeOutput, type RewindableOutput } from '../../io/files/rewindable-output.ts';
import { behindLinks, targetAt } from '../../io/files/special-file.ts';
import { translatingTemporaryErrors } from '../../io/files/temporary-file.ts';
import { unfinishedPath } from '../../io/files/unfinished-file.ts';
import { ImagesError } from '../../oci/errors.ts';
import { runCommand } from '../overlays/run-command.ts';
import type { Environment, TaskCall, World } from '../settings.ts';

export type FileSystem = 'squashfs' | 'erofs';

interface Maker {
  readonly program: string;
  readonly args: (file: string) => readonly string[];
  readonly env?: Environment;
  /** A text that the program's help must contain, which shows that this version has the required features. */
  readonly helpSays: string;
  /** A last step that changes the file which the program has made. */
  complete?(file: string): Promise<void>;
}

/** The time of the file system itself. It is constant so that equal inputs give equal bytes. Entries keep their own times. */
const TIME = '1';
const DATED: Environment = { SOURCE_DATE_EPOCH: TIME };

/**
 * The squashfs programs read each other's output. tar2sqfs with lz4 makes files that only the kernel reads. sqfstar 4.5 has no option for the level, and all
 * its compressions but lz4 are slow at their default level. It reduces entry times to at most SOURCE_DATE_EPOCH, and ignores the archive's entry for the root.
 */
const MAKERS: Readonly<Record<FileSystem, readonly Maker[]>> = {
  squashfs: [
    {
      program: 'tar2sqfs',
      args: (file) => ['-q', '-f', '-c', 'zstd', '-X', 'level=3', file],
      env: DATED,
      helpSays: 'zstd',
    },
    {
      program: 'sqfstar',
      args: (file) => [
        ...['-quiet', '-no-progress', '-comp', 'lz4', '-noI', '-mkfs-time', TIME],
        ...['-root-mode', '700', '-root-uid', '0', '-root-gid', '0', file],
      ],
      env: { SOURCE_DATE_EPOCH: undefined },
      helpSays: '-root-mode',
      complete: async (file) => (await import('./squashfs-root-time.ts')).setRootTime(file, Number(TIME)),
    },
  ],
  erofs: [
    {
      program: 'mkfs.erofs',
      args: (file) => ['--quiet', `-T${TIME}`, '-zlz4', '--tar=f', file, '/dev/stdin'],
      env: DATED,
      helpSays: '--tar',
    },
  ],
};
const PACKAGES: Readonly<Record<FileSystem, string>> = {
  squashfs: 'squashfs-tools-ng, or squashfs-tools from 4.5.1',
  erofs: 'erofs-utils from 1.7',
};

/** Takes the store's archive, in which the root is the store. Disposing without `finish` leaves no file behind. Errors: UNSUPPORTED if no suitable program is installed. */
export async function fileSystemOutput(
  path: string,
  kind: FileSystem,
  settings: World & TaskCall,
): Promise<RewindableOutput> {
  const maker = await findMaker(kind, settings);
  const { spawn } = await import('node:child_process');
  const file = await regularFile(path, kind);
  const temporary = await unfinishedPath(file);
  const child = spawn(maker.program, maker.args(temporary), {
    env: { ...settings.env, ...maker.env },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  startedProgram(child);
  const ended = endOf(
    child,
    maker.program,
    `Where there is room for the file, another program may do it: ${PACKAGES[kind]}.`,
  );
  // `write` and `finish` report a rejection; until then it must not count as unhandled.
  const over = new AbortController();
  const end = () => over.abort(new Error('the program ended early'));
  ended.then(end, end);
  const output = pipeOutput((bytes) => sendTo(child, bytes, { ended, over: over.signal }), settings.temporaryDirectory);
  let isDone = false;
  return {
    ...output,
    async finish() {
      await output.finish();
      child.stdin?.end();
      await ended;
      await maker.complete?.(temporary);
      await rename(temporary, file);
      isDone = true;
    },
    async [Symbol.asyncDispose]() {
      await output[Symbol.asyncDispose]();
      if (isDone) return;
      child.kill();
      await ended.catch(() => {});
      await rm(temporary, { force: true });
    },
  };
}

/** The programs seek while writing, so they need a regular file. Errors: LOCATION_INVALID. */
async function regularFile(path: string, kind: FileSystem): Promise<string> {
  if ((await translatingFsErrors(path, () => targetAt(path))) === 'file') return await behindLinks(path);
  throw new ImagesError('LOCATION_INVALID', `${kind} is written to a regular file only [${path}]`, {
    hint: 'Name a file: what is there is a directory, a device or a pipe.',
  });
}

async function findMaker(kind: FileSystem, settings: World & TaskCall): Promise<Maker> {
  for (const maker of MAKERS[kind]) {
    const help = await runCommand(maker.program, ['--help'], settings);
    if (help && (help.stdout + help.stderr).includes(maker.helpSays)) return maker;
  }
  throw new ImagesError('UNSUPPORTED', `no program here makes ${kind} of an archive`, {
    hint: `Install ${PACKAGES[kind]}.`,
  });
}

/** Resolves when the program has ended successfully. */
async function endOf(child: ChildProcess, program: string, hint: string): Promise<void> {
  const errors: Buffer[] = [];
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk));
  child.stdin?.on('error', () => {});
  const [status] = (await once(child, 'close')) as [number | null];
  if (status === 0) return;
  const lines = Buffer.concat(errors).toString().trim().split('\n');
  const said = lines.find((line) => /\berror\b/i.test(line)) ?? lines.at(-1);
  throw new ImagesError('UNSUPPORTED', `${program} failed: ${said || `exit ${status}`}`, {
    hint,
    ...(said && { said }),
  });
}

interface End {
  readonly ended: Promise<void>;
  /** Fires at the same time. A promise that many pieces wait for would keep something of each. */
  readonly over: AbortSignal;
}

async function sendTo(child: ChildProcess, bytes: Uint8Array, { ended, over }: End): Promise<void> {
  const { stdin } = child;
  if (!stdin || stdin.write(bytes)) return;
  try {
    await once(stdin, 'drain', { signal: over });
  } catch (error) {
    // EPIPE means that the program closed its input, not that a reader of this program's output has gone. The program's own error is the reason.
    await ended;
    throw over.aborted ? over.reason : error;
  }
}

/** The kind of file system, by its first bytes. */
export function isFileSystem(first: Uint8Array): FileSystem | undefined {
  const bytes = Buffer.from(first);
  if (bytes.toString('latin1', 0, 4) === 'hsqs') return 'squashfs';
  return bytes.length >= 1028 && bytes.readUInt32LE(1024) === 0xe0f5e1e2 ? 'erofs' : undefined;
}

/** Disposing removes the file if it is a temporary one. */
export interface ReadableArchive extends AsyncDisposable {
  readonly path: string;
}

/** With `files`, only these need to be in the archive. Errors: UNSUPPORTED if no suitable program is installed; NO_SPACE, NO_ACCESS, READ_ONLY. */
export async function archiveOfFileSystem(
  path: string,
  kind: FileSystem,
  settings: World & TaskCall,
  files: readonly string[] = [],
): Promise<ReadableArchive> {
  const unpack = await findReader(path, kind, settings, files);
  const { temporaryDirectory } = settings;
  const directory = await translatingTemporaryErrors(temporaryDirectory, () =>
    mkdtemp(join(temporaryDirectory, 'images-')),
  );
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    const archive = join(directory, 'store.tar');
    await unpack(directory, archive);
    return { path: archive, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function findReader(
  path: string,
  kind: FileSystem,
  settings: World & TaskCall,
  files: readonly string[],
): Promise<(directory: string, archive: string) => Promise<void>> {
  const has = async (program: string) => (await runCommand(program, ['--help'], settings)) !== undefined;
  if (kind === 'squashfs' && (await has('sqfs2tar')))
    return (_, archive) => runInto(archive, ['sqfs2tar', path], settings);
  // Only root can unpack owners, devices and attributes; for single files they are not needed.
  const isEnough = files.length > 0 || process.getuid?.() === 0;
  if (kind === 'squashfs' && isEnough && (await has('unsquashfs')) && (await has('tar'))) {
    return async (directory, archive) => {
      const tree = join(directory, 'tree');
      await runInto('/dev/null', ['unsquashfs', '-quiet', '-no-progress', '-d', tree, path, ...files], settings);
      const attributes = ['--xattrs', '--xattrs-include=*', '--format=posix'];
      await runInto(archive, ['tar', '-C', tree, '--numeric-owner', ...attributes, '-c', '.'], settings);
      await rm(tree, { recursive: true, force: true });
    };
  }
  throw new ImagesError('UNSUPPORTED', `no program here reads ${kind} [${path}]`, {
    hint:
      kind === 'erofs'
        ? 'Mount it, and look with podman.'
        : 'Install squashfs-tools-ng (sqfs2tar); unsquashfs lists, and as root checks.',
  });
}

/** Writes the program's stdout to the file. */
async function runInto(file: string, command: readonly string[], settings: World): Promise<void> {
  const { spawn } = await import('node:child_process');
  const { open } = await import('node:fs/promises');
  const [program = '', ...args] = command;
  const handle = await open(file, 'w', 0o600);
  try {
    const child = spawn(program, args, { env: { ...settings.env }, stdio: ['ignore', handle.fd, 'pipe'] });
    startedProgram(child);
    await endOf(child, program, `Is there room in ${settings.temporaryDirectory}? TMPDIR names another directory.`);
  } finally {
    await handle.close();
  }
}
