// Runs the `tar` script of an overlay's image: `DIR/tar -` writes an archive to its standard output, which is a file without a name here, and messages to
// its standard error, which are shown.
import { type ChildProcess, spawn } from 'node:child_process';
import { constants, readdirSync, readFileSync } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createSpool } from '../build/context/spool.ts';
import { tarContext } from '../build/context/tar-context.ts';
import type { TreeSource } from '../build/files/tree-source.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import type { TarTime } from '../tar/time.ts';
import type { Settings } from './settings.ts';

export interface TarScriptOptions {
  /** Where the archive lies meanwhile. */
  readonly spool: string;
  /** Of the archive as a file of the context. */
  readonly time: TarTime;
  /** What the script says. */
  onOutput?(chunk: Uint8Array): void;
}

/** Disposing ends the script and drops the archive. */
export interface RunningScript extends AsyncDisposable {
  /** Errors: BUILD_FAILED where the script fails, and for what is no archive. */
  readonly context: Promise<TreeSource>;
}

/** Errors: FILE_UNREADABLE where there is no script, those of the place of the spool. */
export async function runTarScript(
  directory: string,
  settings: Settings,
  options: TarScriptOptions,
): Promise<RunningScript> {
  const script = resolve(join(directory, 'tar'));
  await checkScript(script);
  const spool = await createSpool(options.spool);
  const begun = Date.now();
  const child = spawn(script, ['-'], { env: { ...settings.env }, stdio: ['ignore', spool.fd, 'pipe'] });
  const stop = () => endAll(child);
  settings.signal?.addEventListener('abort', stop, { once: true });
  child.stderr?.on('data', (chunk: Buffer) => options.onOutput?.(chunk));
  const ended = new Promise<void>((done, fail) => {
    child.on('error', (cause) => fail(cannotRun(script, cause)));
    child.on('exit', () => setTimeout(() => child.stderr?.destroy(), PATIENCE_MS).unref());
    child.on('close', (status, signal) => {
      if (settings.signal?.aborted) fail(settings.signal.reason);
      else if (status === 0) done();
      else fail(failed(script, signal === null ? `exit status ${status}` : `signal ${signal}`));
    });
  });
  const context = tarContext(spool, ended, options.time).catch(async (error: unknown) => {
    throw isImagesError(error, 'BUILD_FAILED') && child.exitCode === 0 ? await withMisplaced(error, begun) : error;
  });
  // Who needs the context is told; until then it must not count as unhandled.
  context.catch(() => {});
  ended.catch(() => {});
  return {
    context,
    [Symbol.asyncDispose]: async () => {
      settings.signal?.removeEventListener('abort', stop);
      if (child.exitCode === null && child.signalCode === null) endAll(child);
      await context.catch(() => {});
      await spool[Symbol.asyncDispose]();
    },
  };
}

/** For who is to end, and for what a script that has ended left running: it may say something yet, and may hold standard error open for ever. */
const PATIENCE_MS = 2000;

/** The script with all that it has started: a shell that is ended alone leaves its commands running, and its standard error open. */
function endAll(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const all = [child.pid, ...startedBy(child.pid)];
  signalAll(all, 'SIGTERM');
  const timer = setTimeout(() => signalAll(all, 'SIGKILL'), PATIENCE_MS);
  child.once('close', () => clearTimeout(timer));
  child.stderr?.destroy();
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended by itself.
    }
  }
}

function startedBy(pid: number): readonly number[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    const texts = tasks.map((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8'));
    const children = texts.flatMap((text) => text.match(/\d+/g) ?? []).map(Number);
    return children.flatMap((each) => [each, ...startedBy(each)]);
  } catch {
    return [];
  }
}

async function checkScript(script: string): Promise<void> {
  const info = await stat(script).catch(() => undefined);
  if (!info?.isFile()) {
    throw new ImagesError('FILE_UNREADABLE', `no \`tar\` script [${script}]`, {
      hint: 'It is an executable that writes a tar archive to the file it is given, `-` being its standard output.',
    });
  }
  await access(script, constants.X_OK).catch((cause: unknown) => {
    throw new ImagesError('FILE_UNREADABLE', `the \`tar\` script is not executable [${script}]`, {
      hint: `chmod +x ${script}`,
      cause,
    });
  });
}

function failed(script: string, how: string): ImagesError {
  return new ImagesError('BUILD_FAILED', `the \`tar\` script failed [${script}: ${how}]`, {
    hint: 'What it said is above.',
  });
}

function cannotRun(script: string, cause: Error): ImagesError {
  const { code } = cause as NodeJS.ErrnoException;
  const hint =
    code === 'ENOENT' || code === 'ENOEXEC'
      ? 'Its first line has to name its interpreter, `#! /bin/sh`, and to end in a newline alone (not CR LF).'
      : cause.message;
  return new ImagesError('BUILD_FAILED', `the \`tar\` script cannot be run [${script}]`, { hint, cause });
}

/** A script that does not know `-` writes a file of that name. */
async function withMisplaced(error: ImagesError, begun: number): Promise<ImagesError> {
  const file = resolve('-');
  const info = await stat(file).catch(() => undefined);
  if (!info || info.mtimeMs < begun - 1000) return error;
  return new ImagesError(error.code, `${error.message} [${file}]`, {
    hint: 'It wrote a file of the name `-`: that has to be its standard output. Remove the file.',
    cause: error,
  });
}
