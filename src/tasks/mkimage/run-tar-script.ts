// Runs the `tar` script of an overlay's image: `DIR/tar -` writes an archive to its stdout and messages to its stderr, which are shown. Both are pipes, because the script may
// reopen them by name (/dev/stdout); cat(1) copies the archive into an unnamed file.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createSpool, type Spool } from '../../build/context/spool.ts';
import { tarContext } from '../../build/context/tar-context.ts';
import type { TreeSource } from '../../build/files/tree-source.ts';
import { markedEnvironment, type StartedProgram, startedProgram } from '../../io/concurrency/started-programs.ts';
import { type ReopenablePipe, readPipe, reopenablePipes } from '../../io/files/reopenable-pipe.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { TarTime } from '../../tar/time.ts';
import type { TaskCall, World } from '../settings.ts';

export interface TarScriptOptions {
  /** The directory for the temporary copy of the archive. */
  readonly spool: string;
  /** The timestamp of the archive as a file of the build context. */
  readonly time: TarTime;
  /** Called with the messages of the script. */
  onOutput?(chunk: Uint8Array): void;
}

/** Disposing ends the script and deletes the archive. */
export interface RunningScript extends AsyncDisposable {
  /** Errors: BUILD_FAILED if the script fails or its output is no archive. */
  readonly context: Promise<TreeSource>;
}

/** Errors: FILE_UNREADABLE if there is no script; those of the spool's directory. */
export async function runTarScript(
  directory: string,
  settings: World & TaskCall,
  options: TarScriptOptions,
): Promise<RunningScript> {
  const script = resolve(join(directory, 'tar'));
  await checkScript(script);
  const spool = await createSpool(options.spool);
  const begun = Date.now();
  const running = await start(script, spool, settings, options).catch(async (error: unknown) => {
    await spool[Symbol.asyncDispose]();
    throw error;
  });
  const { child, ended } = running;
  let ending: Promise<unknown> | undefined;
  const stop = () => {
    ending ??= endAll(running);
  };
  settings.signal?.addEventListener('abort', stop, { once: true });
  const context = tarContext(spool, ended, options.time).catch(async (error: unknown) => {
    throw isImagesError(error, 'BUILD_FAILED') && child.exitCode === 0 ? await withFilesBeside(error, begun) : error;
  });
  // The caller gets this rejection when it awaits `context`; until then it must not count as unhandled.
  context.catch(() => {});
  return {
    context,
    [Symbol.asyncDispose]: async () => {
      settings.signal?.removeEventListener('abort', stop);
      if (child.exitCode === null && child.signalCode === null) stop();
      await ending;
      await context.catch(() => {});
      await spool[Symbol.asyncDispose]();
    },
  };
}

/** The time for child processes that outlive the script: they may still write messages, and may hold its outputs open for ever. */
const PATIENCE_MS = 2000;
/** The time for a program between being told to end and being killed. It is shorter than the time that this process has to end. */
const TIME_TO_END_MS = 400;

interface Running {
  readonly child: ChildProcess;
  /** The cat(1) that copies the script's output into the spool. */
  readonly carrier: ChildProcess;
  readonly messages: Readable;
  readonly programs: readonly StartedProgram[];
  /** Resolves when the whole output is in the spool. Errors: BUILD_FAILED, NO_SPACE. */
  readonly ended: Promise<void>;
}

async function start(
  script: string,
  spool: Spool,
  settings: World & TaskCall,
  { spool: directory, onOutput }: TarScriptOptions,
): Promise<Running> {
  const [out, said] = (await reopenablePipes([directory, settings.temporaryDirectory], 2)) as [
    ReopenablePipe,
    ReopenablePipe,
  ];
  const { env, mark } = markedEnvironment(settings.env);
  const child = spawn(script, ['-'], { env, stdio: ['ignore', out.writing, said.writing] });
  const carrier = spawn('cat', [], { env: { ...settings.env, LC_ALL: 'C' }, stdio: [out.reading, spool.fd, 'pipe'] });
  const programs = [startedProgram(child, mark), startedProgram(carrier)];
  for (const fd of [out.reading, out.writing, said.writing]) closeSync(fd);
  const messages = readPipe(said.reading);
  messages.on('data', (chunk: Buffer) => onOutput?.(chunk));
  const ended = endOf({ child, carrier, messages }, { script, directory, signal: settings.signal });
  ended.catch(() => {});
  return { child, carrier, messages, programs, ended };
}

async function endOf(
  { child, carrier, messages }: Pick<Running, 'child' | 'carrier' | 'messages'>,
  {
    script,
    directory,
    signal,
  }: { readonly script: string; readonly directory: string; readonly signal: AbortSignal | undefined },
): Promise<void> {
  let isLate = false;
  const heard = new Promise<void>((done) => messages.once('close', done));
  const carrying = text(carrier.stderr as Readable);
  const carried = new Promise<number | null>((done, fail) => {
    carrier.once('error', (cause) => fail(cannotRun('cat', cause)));
    carrier.once('close', done);
  });
  carried.catch(() => {});
  const [status, killed] = await new Promise<[number | null, NodeJS.Signals | null]>((done, fail) => {
    child.once('error', (cause) => fail(cannotRun(script, cause)));
    child.once('exit', (...how) => done(how));
  }).finally(() => {
    const late = () => {
      isLate = true;
      messages.destroy();
      carrier.kill();
    };
    const timer = setTimeout(late, PATIENCE_MS).unref();
    Promise.allSettled([heard, carried]).then(() => clearTimeout(timer));
  });
  const [, carrierStatus] = await Promise.all([heard, carried]);
  signal?.throwIfAborted();
  if (carrierStatus !== 0 && !isLate) throw notCarried(await carrying, directory);
  if (status !== 0) throw failed(script, killed === null ? `exit status ${status}` : `signal ${killed}`);
}

/** Ends the script's child processes too. If only the shell were ended, they would go on and hold stderr open. */
async function endAll({ messages, programs }: Running): Promise<void> {
  messages.destroy();
  await Promise.all(programs.map((program) => program.end(TIME_TO_END_MS)));
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

/** `said` is the stderr of cat. */
function notCarried(said: string, directory: string): ImagesError {
  if (said.includes('No space left')) {
    return new ImagesError('NO_SPACE', `no space left [${directory}]`, { hint: 'Free space there.' });
  }
  return new ImagesError('BUILD_FAILED', `what the \`tar\` script writes cannot be kept [${said.trim()}]`);
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

/** A script that does not support `-` writes to a file named `-`; the error then tells so. */
async function withFilesBeside(error: ImagesError, begun: number): Promise<ImagesError> {
  const file = resolve('-');
  const info = await stat(file).catch(() => undefined);
  if (!info || info.mtimeMs < begun - 1000) return error;
  return new ImagesError(error.code, `${error.message} [${file}]`, {
    hint: 'It wrote a file of the name `-`: that has to be its standard output. Remove the file.',
    cause: error,
  });
}
