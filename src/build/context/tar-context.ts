// The context that the `tar` script makes: one file, `ovl.tar`. It is scanned while it is being written, and read again when it is needed.
import { peekCompression } from '../../io/compression/compression.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { digester } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { TarTime } from '../../tar/time.ts';
import type { TreeSource } from '../files/tree-source.ts';
import { filesSource } from './one-file.ts';
import { type ScannedArchive, scanArchive } from './scan-archive.ts';
import type { Spool } from './spool.ts';

export const CONTEXT_ARCHIVE = 'ovl.tar';

/**
 * `isWritten` settles when the script has ended; if it rejects, so does this. `time` is the time of the file if it is copied without unpacking.
 * Errors: BUILD_FAILED (no archive, or an empty one).
 */
export async function tarContext(spool: Spool, isWritten: Promise<void>, time: TarTime): Promise<TreeSource> {
  const [scanned] = await Promise.all([scan(spool, isWritten), isWritten]);
  if (scanned instanceof ImagesError) throw scanned;
  const size = await spool.size();
  return filesSource('the context', [
    {
      name: CONTEXT_ARCHIVE,
      size,
      mode: 0o644,
      time,
      open: () => spool.read(),
      contentId: () => contentId(spool.read({ passing: true })),
      archiveId: async () => scanned.id,
    },
  ]);
}

/** Returns an error for an invalid archive instead of throwing it, because a failure of the script itself takes precedence. */
async function scan(spool: Spool, isWritten: Promise<void>): Promise<ScannedArchive | ImagesError> {
  try {
    const scanned = await scanArchive(await whileWritten(spool, isWritten));
    if (scanned.entries > 0) return scanned;
    const size = await spool.size();
    const what = size === 0 ? 'wrote nothing' : 'wrote an archive of nothing';
    return new ImagesError('BUILD_FAILED', `the tar script ${what}`, {
      hint: 'Called as `tar -`, it has to write the archive to its standard output, and nothing else.',
    });
  } catch (error) {
    if (!isImagesError(error, 'TAR_INVALID', 'COMPRESSION_INVALID')) throw error;
    const why = error.message.replace(/^no tar archive: /, '');
    return new ImagesError('BUILD_FAILED', `what the tar script wrote is no tar archive: ${why}`, {
      hint: 'Called as `tar -`, it has to write the archive to its standard output; messages go to standard error.',
      cause: error,
    });
  }
}

/** Reuses buffers (`passing`) for uncompressed archives only: a decompressor holds more chunks at a time. */
async function whileWritten(spool: Spool, isWritten: Promise<void>): Promise<Bytes> {
  const { compression, body } = await peekCompression(spool.read({ isOver: isWritten }));
  if (compression) return body;
  await body[Symbol.asyncIterator]().return?.();
  return spool.read({ isOver: isWritten, passing: true });
}

async function contentId(bytes: Bytes): Promise<string> {
  const hash = digester('sha256');
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest('hex');
}
