// Reads a file that people and programs save in place: while they do, it may be empty, or lack its end. A half of a configuration may well be valid, and allow what
// the whole forbids: a pattern of tags that do not move, or a rule that keeps more than another does.
import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { readIfThere } from '../../io/files/read-config-file.ts';
import { ImagesError } from '../../oci/errors.ts';

/** In milliseconds: a file that has not changed for so long is believed to be whole. */
const REST_MS = 200;
const TRIES = 25;
/** In bytes. Thousands of rules are less. */
const MOST_BYTES = 1024 * 1024;
/** Says that there is no configuration. */
const NOTHING = '/dev/null';

export interface FileAtRest {
  /** `undefined` if there is no such file. */
  readonly text: string | undefined;
  /** Changes with the file's content. */
  readonly state: string;
}

export interface RestOptions {
  /** The state in which the file was before: another one has to rest, too. */
  readonly before?: string;
  readonly restMs?: number;
}

/** Waits for a file that changed a moment ago. Errors: FILE_UNREADABLE (also: no file, or too large), CONFIG_INVALID (it changes all the time). */
export async function readAtRest(file: string, options: RestOptions = {}): Promise<FileAtRest> {
  const { before, restMs = REST_MS } = options;
  let { state, changedAt } = await lookAt(file);
  let mayChange = Math.abs(Date.now() - changedAt) < restMs || (before !== undefined && before !== state);
  for (let attempt = 0; attempt < TRIES; attempt++) {
    if (mayChange) await delay(restMs);
    await checkReadable(file);
    const text = await readIfThere(file);
    const now = await lookAt(file);
    if (now.state === state) return { text, state };
    state = now.state;
    mayChange = true;
  }
  throw new ImagesError('CONFIG_INVALID', `${file} is written to all the time`, {
    hint: 'Write it once, or write another file and rename it.',
  });
}

/** Changes with the file's content. */
export async function stateOfFile(file: string): Promise<string> {
  return (await lookAt(file)).state;
}

/** A pipe would be waited for, and not read again; a device may have no end. */
async function checkReadable(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  // What has no file, and why, is told by who reads it.
  if (!found || found.isDirectory() || file === NOTHING) return;
  if (!found.isFile()) {
    throw new ImagesError('FILE_UNREADABLE', `not a regular file [${file}]`, {
      hint: 'It is read again while the registry runs: write a file.',
    });
  }
  if (found.size <= MOST_BYTES) return;
  throw new ImagesError('FILE_UNREADABLE', `too large for a configuration [${file}, ${found.size} bytes]`, {
    hint: `At most ${MOST_BYTES} bytes are read: check which file it is.`,
  });
}

async function lookAt(file: string): Promise<{ readonly state: string; readonly changedAt: number }> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(file);
    return { state: [ino, size, mtimeMs, ctimeMs].join(' '), changedAt: mtimeMs };
  } catch {
    return { state: 'absent', changedAt: Number.NEGATIVE_INFINITY };
  }
}
