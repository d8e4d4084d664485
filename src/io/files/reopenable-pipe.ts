// Pipes for the standard streams of children that reopen them by name (/dev/stdout, /proc/self/fd/1). Node gives children sockets, which cannot be reopened
// (ENXIO). Relies on mkfifo(1).
import { execFile } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { ImagesError } from '../../oci/errors.ts';

/** Both ends as open file descriptors. The caller closes each end, after it has passed it to a child or if it does not need it. */
export interface ReopenablePipe {
  readonly reading: number;
  readonly writing: number;
}

/** Makes pipes in the first of the directories that can hold them. Their names are removed as soon as they are open. Errors: RUN_UNAVAILABLE. */
export async function reopenablePipes(
  directories: readonly string[],
  count: number,
): Promise<readonly ReopenablePipe[]> {
  let failure: unknown;
  for (const directory of directories) {
    try {
      return await pipesIn(directory, count);
    } catch (error) {
      failure = error;
    }
  }
  const said = failure instanceof Error ? (failure.message.trim().split('\n').at(-1) ?? '') : '';
  throw new ImagesError('RUN_UNAVAILABLE', `no pipe can be made with mkfifo [${said}]`, {
    hint: 'It is part of coreutils; TMPDIR has to be on a file system that knows pipes.',
    cause: failure,
  });
}

async function pipesIn(directory: string, count: number): Promise<readonly ReopenablePipe[]> {
  const folder = await mkdtemp(join(directory, 'pipe-'));
  try {
    const paths = Array.from({ length: count }, (_, at) => join(folder, String(at)));
    await promisify(execFile)('mkfifo', ['-m', '600', ...paths]);
    return paths.map(opened);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Reads from a pipe, and owns the descriptor. Destroying the stream does not wait for the writer. */
export function readPipe(reading: number): Readable {
  return new Socket({ fd: reading, readable: true, writable: false });
}

function opened(path: string): ReopenablePipe {
  // Opening one end blocks until the other is opened, so this opens both.
  const both = openSync(path, 'r+');
  try {
    return { reading: openSync(path, 'r'), writing: openSync(path, 'w') };
  } finally {
    closeSync(both);
  }
}
