// Sends an archive of images to the `ctr images import` of a node, as it comes. Relies on node:child_process, loaded when first used.
import { once } from 'node:events';
import { closeOutputAfterEnd, markedEnvironment, startedProgram } from '../../io/concurrency/started-programs.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import type { Settings } from '../settings.ts';
import { type ImageNode, IN_KUBERNETES, nodeFailure } from './image-node.ts';

/** How much is kept of what the program says, in characters. */
const KEPT = 64 * 1024;
/** Milliseconds to wait for output after the program's end. */
const LINGER = 500;

/** Resolves when containerd has imported and unpacked the images. The signal ends it. Errors: UNREACHABLE, with what `ctr` said; those of the archive. */
export async function importArchive(
  archive: Bytes,
  node: ImageNode,
  settings: Settings,
  snapshotter?: string,
): Promise<void> {
  const { spawn } = await import('node:child_process');
  // As `kind load` calls it. The names are in the archive; with --digests an image is there under its digest, too.
  const unpackedBy = snapshotter === undefined ? [] : [`--snapshotter=${snapshotter}`];
  const command = [...node.ctr, IN_KUBERNETES, 'images', 'import', '--all-platforms', '--digests', ...unpackedBy, '-'];
  const [program = '', ...args] = [...node.exec, ...command];
  const { env, mark } = markedEnvironment(settings.env);
  settings.signal?.throwIfAborted();
  const child = spawn(program, args, { env, stdio: ['pipe', 'ignore', 'pipe'] });
  const started = startedProgram(child, mark);
  closeOutputAfterEnd(child, LINGER);
  const kill = () => started.kill();
  settings.signal?.addEventListener('abort', kill, { once: true });
  try {
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-KEPT);
    });
    const over = new AbortController();
    const ended = new Promise<number | null>((resolve) => {
      child.once('error', (error) => {
        said = error.message;
        over.abort();
        resolve(null);
      });
      child.once('close', (status) => {
        over.abort();
        resolve(status);
      });
    });
    // A program that stops reading has failed: its status and what it said tell why.
    child.stdin.on('error', () => {});
    try {
      await send(archive, child.stdin, over.signal);
    } catch (error) {
      // Half an archive is none.
      kill();
      await ended;
      throw error;
    }
    const status = await ended;
    settings.signal?.throwIfAborted();
    if (status !== 0) throw nodeFailure(node, node.ctr.join(' '), said);
  } finally {
    settings.signal?.removeEventListener('abort', kill);
  }
}

/** Ends early when the program has ended. */
async function send(archive: Bytes, input: NodeJS.WritableStream, over: AbortSignal): Promise<void> {
  for await (const chunk of archive) {
    if (over.aborted) return;
    if (!input.write(chunk)) await once(input, 'drain', { signal: over }).catch(() => {});
  }
  input.end();
}
