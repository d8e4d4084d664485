// Reads the stream of `docker save` once. Its files are written into one unnamed file. Layers that are to be compressed go through the spool instead, so that
// compressing takes no additional time.
import type { FileHandle } from 'node:fs/promises';
import { MAGIC_LENGTH, peekCompression } from '../../io/compression/compression.ts';
import { decompressed } from '../../io/compression/decompress.ts';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import { type FileWriter, fileWriter } from '../../io/files/file-writer.ts';
import { translatingFsErrors } from '../../io/files/fs-errors.ts';
import { temporaryFile } from '../../io/files/temporary-file.ts';
import type { Bytes, CallOptions } from '../../io/streams/bytes.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { TarEntry } from '../../tar/entry.ts';
import { readTar } from '../../tar/reader.ts';
import type { ArchiveFile } from '../archive/archive-file.ts';
import { archiveNames, cleanName } from '../archive/archive-names.ts';
import type { LayerSpool, SpooledLayer } from '../compressing/contract.ts';
import { skipped } from '../skipped.ts';

export interface SaveArchiveOptions extends CallOptions {
  /** For messages. */
  readonly label: string;
  /** The directory of the file. */
  readonly directory: string;
  /** Takes the uncompressed layers. They are then not kept uncompressed. */
  readonly spool?: LayerSpool;
}

interface SavedFile {
  readonly name: string;
  readonly size: number;
  open(from: number): Promise<Bytes>;
}

/** Errors: those of the stream, TAR_INVALID, NO_SPACE. */
export async function saveArchive(body: Bytes, options: SaveArchiveOptions): Promise<ArchiveFile> {
  const { directory, label, signal } = options;
  const handle = await temporaryFile(directory);
  try {
    const files = archiveNames<SavedFile>();
    await translatingFsErrors(directory, async () => {
      const writer = fileWriter(handle, 0);
      for await (const entry of readTar(body, { tail: () => {} })) {
        signal?.throwIfAborted();
        if (entry.type === 'symlink' || entry.type === 'hardlink') files.addLink(entry);
        const name = entry.type === 'file' ? cleanName(entry.name) : undefined;
        if (name !== undefined) files.addFile(name, await keep({ name, entry, handle, writer }, options.spool));
      }
      await writer.flush();
    });
    return {
      label,
      find: files.find,
      names: files.names,
      others: files.others,
      why: files.why,
      size: async (name) => files.find(name)?.size,
      async open(name, from) {
        const file = files.find(name);
        if (!file) throw new ImagesError('BLOB_UNKNOWN', `there is no ${name} [${label}]`);
        return await file.open(from);
      },
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

interface Arriving {
  readonly name: string;
  readonly entry: TarEntry;
  readonly handle: FileHandle;
  readonly writer: FileWriter;
}

async function keep({ name, entry, handle, writer }: Arriving, spool: LayerSpool | undefined): Promise<SavedFile> {
  const { size } = entry;
  const { compression, first, body } = await peekCompression(entry.body);
  if (spool && compression === undefined && isLayer(name, first)) {
    const layer = await spool.keep(body);
    return { name, size, open: (from) => plain(layer, from) };
  }
  const at = writer.size;
  for await (const chunk of body) await writer.append(chunk);
  return { name, size, open: (from) => readFileBytes(handle, { from: at + from, to: at + size }) };
}

/** Whether a file is a layer: by its name. A blob of a layout is a layer if it is not JSON, and no archive begins like JSON. */
function isLayer(name: string, first: Uint8Array): boolean {
  if (/(?:^|\/)layer\.tar$/.test(name)) return true;
  return /^blobs\/sha256\/[0-9a-f]{64}$/.test(name) && first.length >= MAGIC_LENGTH && first[0] !== 0x7b;
}

async function plain(layer: SpooledLayer, from: number): Promise<Bytes> {
  return skipped(decompressed(await layer.open(0)), from);
}
