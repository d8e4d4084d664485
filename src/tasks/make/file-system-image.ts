// A store as the image of a read-only file system, squashfs or erofs: made of the store's archive, and turned back into one, by the programs for it.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startedProgram } from '../../io/concurrency/started-programs.ts';
import { translatingFsErrors } from '../../io/files/fs-errors.ts';
import { pipeOutput, type RewindableOutput } from '../../io/files/rewindable-output.ts';
import { behindLinks, targetAt } from '../../io/files/special-file.ts';
import { unfinishedPath } from '../../io/files/unfinished-file.ts';
import { ImagesError } from '../../oci/errors.ts';
import { runCommand } from '../overlays/run-command.ts';
import type { Environment, TaskCall, World } from '../settings.ts';

export type FileSystem = 'squashfs' | 'erofs';

interface Maker {
  readonly program: string;
  readonly args: (file: string) => readonly string[];
  readonly env?: Environment;
  /** What its help must say for it to be of use. */
  readonly helpSays: string;
  /** What is left to do in the file that it has made. */
  complete?(file: string): Promise<void>;
}

/** The time of the file system itself: equal inputs are to give equal bytes. The entries keep theirs. */
const TIME = '1';
const DATED: Environment = { SOURCE_DATE_EPOCH: TIME };

/**
 * Both squashfs programs read what either makes. What tar2sqfs makes with lz4 only the kernel reads, and sqfstar 4.5 takes no level, without which all but lz4 are
 * slow. sqfstar cuts times of entries down to SOURCE_DATE_EPOCH, and passes over what the archive says of the root.
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

/** Takes the store's archive, whose root is the store's. Disposing without `finish` leaves nothing. Errors: UNSUPPORTED where no program for it is there. */
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
  // Whoever writes or finishes sees it.
  ended.catch(() => {});
  const output = pipeOutput((bytes) => sendTo(child, bytes, ended), settings.temporaryDirectory);
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

/** Programs that make file systems write here and there. Errors: PLACE_INVALID. */
async function regularFile(path: string, kind: FileSystem): Promise<string> {
  if ((await translatingFsErrors(path, () => targetAt(path))) === 'file') return await behindLinks(path);
  throw new ImagesError('PLACE_INVALID', `${kind} is written to a regular file only [${path}]`, {
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

/** Resolves when the program has ended well. */
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

async function sendTo(child: ChildProcess, bytes: Uint8Array, ended: Promise<void>): Promise<void> {
  const { stdin } = child;
  if (!stdin || stdin.write(bytes)) return;
  try {
    await Promise.race([once(stdin, 'drain'), ended.then(() => Promise.reject(new Error('the program ended early')))]);
  } catch (error) {
    // A pipe that it has closed (EPIPE) is not our own reader's: what the program says is the reason.
    await ended;
    throw error;
  }
}

/** What the first bytes of a file say. */
export function isFileSystem(first: Uint8Array): FileSystem | undefined {
  const bytes = Buffer.from(first);
  if (bytes.toString('latin1', 0, 4) === 'hsqs') return 'squashfs';
  return bytes.length >= 1028 && bytes.readUInt32LE(1024) === 0xe0f5e1e2 ? 'erofs' : undefined;
}

/** Disposing removes it, where it was made for this. */
export interface ReadableArchive extends AsyncDisposable {
  readonly path: string;
}

/** `files`: of those alone, where they are enough. Errors: UNSUPPORTED (no program for it). */
export async function archiveOfFileSystem(
  path: string,
  kind: FileSystem,
  settings: World & TaskCall,
  files: readonly string[] = [],
): Promise<ReadableArchive> {
  const unpack = await findReader(path, kind, settings, files);
  const directory = await mkdtemp(join(settings.temporaryDirectory, 'images-'));
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
  // Only root can unpack owners, devices and attributes.
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

/** What the program prints is the file. */
async function runInto(file: string, command: readonly string[], settings: World): Promise<void> {
  const { spawn } = await import('node:child_process');
  const { open } = await import('node:fs/promises');
  const [program = '', ...args] = command;
  const handle = await open(file, 'w', 0o600);
  try {
    const child = spawn(program, args, { env: { ...settings.env }, stdio: ['ignore', handle.fd, 'pipe'] });
    startedProgram(child);
    await endOf(child, program, `Is there room in ${settings.temporaryDirectory}? TMPDIR names another place.`);
  } finally {
    await handle.close();
  }
}
