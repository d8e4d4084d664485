// Unpacks archives into directories with GNU tar, in a namespace in which owners can be set. Node can neither write extended attributes nor make devices.
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { Ids } from './ids.ts';
import { moreIds } from './lacks.ts';
import type { RootArchive } from './layer-archive.ts';
import type { Namespaces } from './namespace.ts';
import type { RunnerDirectory } from './runner-directory.ts';

export interface RootUnpacking {
  readonly ids: Ids;
  readonly namespaces: Namespaces;
  readonly runnerDirectory: RunnerDirectory;
  readonly ignoreChownErrors: boolean;
}

/** Names are normalised and never lead through a link. So `-P` is safe; it avoids placeholders for symbolic links. */
export const TAR_EXTRACT =
  "tar -x -P -p --same-owner --numeric-owner --xattrs --xattrs-include='*' --delay-directory-restore -f -";

const UNPACK = `set -e; mkdir -p -- "$1"; cd -- "$1"; exec ${TAR_EXTRACT}`;

/** Unpacks into `fs` of the directory. Returns the size of the archive. Errors: those of the archive, RUN_UNAVAILABLE, NO_SPACE, BUILD_FAILED. */
export async function unpackRootFileSystem(
  archive: RootArchive,
  directory: string,
  unpacking: RootUnpacking,
  options: CallOptions = {},
): Promise<number> {
  refuseStrangers(archive, unpacking);
  const started = await unpacking.namespaces.start(UNPACK, { args: [join(directory, 'fs')] });
  let bytes = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of archive.bytes(options)) {
      bytes += chunk.length;
      yield chunk;
    }
  };
  const said = text(started.stderr);
  started.stdout.resume();
  // A tar that ends early reports its own reason. Errors of the archive's stream are thrown as they are.
  const sent = await pipeline(counted, started.stdin, options.signal ? { signal: options.signal } : {}).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  );
  const status = await started.status;
  started.control.destroy();
  options.signal?.throwIfAborted();
  if (sent && sent.code !== 'EPIPE' && sent.code !== 'ERR_STREAM_PREMATURE_CLOSE' && sent.code !== 'ECONNRESET')
    throw sent;
  if (status !== 0 || sent) throw failed(await said, directory);
  return bytes;
}

function failed(said: string, directory: string): ImagesError {
  const first = said.trim().split('\n')[0] ?? '';
  // If the file system fills up between two blocks, tar reports the number of bytes written, not the reason.
  if (/No space left|Wrote only \d+ of \d+ bytes/.test(said)) {
    return new ImagesError('NO_SPACE', `no space left [${directory}]`, { hint: 'Free space there.' });
  }
  return new ImagesError('BUILD_FAILED', `a layer cannot be unpacked [${first}]`, {
    hint: 'GNU tar with extended attributes is needed: sudo apt install tar',
  });
}

function refuseStrangers({ strangers }: RootArchive, { ids, ignoreChownErrors }: RootUnpacking): void {
  if (ids.owners !== 'many' || ignoreChownErrors || strangers.size === 0) return;
  const highest = Math.max(...strangers);
  throw new ImagesError(
    'RUN_UNAVAILABLE',
    `a file of a layer belongs to an id that this user has not got [${highest}]`,
    {
      hint: moreIds(ids, highest + 1),
    },
  );
}

/** Syncs the directory in the background. A file beside it records that the sync has completed. */
export function syncLater(directory: string, { namespaces }: RootUnpacking): void {
  namespaces.run('sync -f -- "$1/fs" && : > "$1/synced"', { args: [directory] }).catch(() => {});
}

/** Provides a staging directory to `work`, which may rename it. It is removed if `work` fails. */
export async function staged<T>(
  { runnerDirectory, namespaces }: RootUnpacking,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await runnerDirectory.claim('stage');
  try {
    return await work(directory);
  } catch (error) {
    await removeTrees([directory], namespaces);
    throw error;
  }
}

/** Removes trees, whatever the owners of their content. */
export async function removeTrees(directories: readonly string[], namespaces: Namespaces): Promise<void> {
  if (directories.length === 0) return;
  const { status, stderr } = await namespaces.run('exec rm -rf -- "$@"', { args: directories });
  if (status !== 0) throw new ImagesError('NO_ACCESS', `cannot be removed [${stderr.trim().split('\n')[0]}]`);
}
