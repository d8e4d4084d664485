// The archive for k3s' directory of images: an oci-archive, compressed with zstd.
import { open } from 'node:fs/promises';
import { compressed } from '../../io/compression/compress.ts';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Settings } from '../settings.ts';
import { makeArchive } from './make-archive.ts';
import { type StoreEntry, type StoreOptions, storeOutput } from './prepulled-store.ts';
import { withTemporaryFile } from './temporary-archive.ts';

export interface K3sTarget {
  /** With `-` the output goes to `send`. */
  readonly path: string;
  readonly send: (bytes: Uint8Array) => Promise<void>;
}

/**
 * k3s imports what is in its directory of images when it starts. One platform exactly: older ones refuse an index whose other images are not there. The layers
 * are compressed already; what zstd finds is between them. Returns the digest to which each name points. Errors: those of `makeArchive` and of the output.
 */
export async function k3sArchive(
  images: readonly StoreEntry[],
  { path, send }: K3sTarget,
  settings: Settings,
  options: StoreOptions,
): Promise<readonly Digest[]> {
  return await withTemporaryFile(settings.temporaryDirectory, async (file) => {
    const digests = await makeArchive(
      images,
      { format: 'oci-archive', path: file, onePlatform: true },
      settings,
      options,
    );
    await using output = await storeOutput(path, send, settings);
    const handle = await open(file);
    try {
      for await (const chunk of compressed(await readFileBytes(handle, {}), { kind: 'zstd' })) {
        await output.write([chunk]);
        await output.mark();
      }
    } finally {
      await handle.close();
    }
    await output.finish();
    return digests;
  });
}
