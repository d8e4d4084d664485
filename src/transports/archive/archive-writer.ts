// Writes a tar archive at many positions at once. The position of each blob is fixed from the start, because its size is known. So nothing is written twice,
// and the bytes do not depend on the order in which blobs arrive. The file gets its name when it is complete.
import { createWriteStream } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { singleFlight } from '../../io/concurrency/single-flight.ts';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import { fileWriter } from '../../io/files/file-writer.ts';
import { isFsError, translatingFsErrors } from '../../io/files/fs-errors.ts';
import { behindLinks, targetAt } from '../../io/files/special-file.ts';
import { temporaryFile } from '../../io/files/temporary-file.ts';
import { unfinishedPath } from '../../io/files/unfinished-file.ts';
import type { CallOptions, OpenContent } from '../../io/streams/bytes.ts';
import { verified } from '../../io/streams/verify.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { padding } from '../../tar/writer.ts';
import { END, type SmallFile, smallFileBytes } from './archive-format.ts';
import { archiveSlots, lengthOf, type Slot, slotHeader, startOf } from './archive-slots.ts';

export interface ArchiveWriter extends AsyncDisposable {
  /** Announces blobs: they are written in the order of their digests, before blobs that were not announced. */
  expect(blobs: readonly Descriptor[]): void;
  has(digest: Digest): boolean;
  putBlob(blob: Descriptor, open: OpenContent, options?: CallOptions): Promise<void>;
  /** Drops all blobs but those to keep, appends the files, and renames the archive to its final name. */
  finish(keep: ReadonlySet<Digest>, files: readonly SmallFile[]): Promise<void>;
}

const MOVE_CHUNK = 1024 * 1024;

export interface ArchiveWriterOptions {
  /** The directory in which an archive for a device or a pipe is put together. */
  readonly temporaryDirectory: string;
}

/**
 * Writes to `target`; `-` is standard output. Creates nothing before the first blob. Disposing without `finish` removes everything. Errors: LOCATION_INVALID,
 * NO_SPACE, READ_ONLY, NO_ACCESS, those of `open`.
 */
export function archiveWriter(target: string, { temporaryDirectory }: ArchiveWriterOptions): ArchiveWriter {
  const path = target === '-' ? '/dev/stdout' : target;
  const slots = archiveSlots();
  const puts = singleFlight<Digest>();
  let opened: Promise<Temporary> | undefined;

  const file = (): Promise<Temporary> => {
    opened ??= openTemporary(path, temporaryDirectory);
    return opened;
  };

  const fill = async (slot: Slot, open: OpenContent): Promise<void> => {
    const { handle } = await file();
    const header = slotHeader(slot);
    const at = startOf(slot);
    const writer = fileWriter(handle, at);
    try {
      await writer.append(header);
      for await (const chunk of verified(await open(0), slot.blob)) await writer.append(chunk);
      await writer.append(padding(slot.blob.size));
      await writer.flush();
    } catch (error) {
      await writer.abandon();
      throw error;
    }
    slot.there = true;
  };

  return {
    expect(blobs) {
      for (const blob of blobs) slots.of(blob);
    },
    has: (digest) => slots.has(digest),
    async putBlob(blob, open, options) {
      const slot = slots.of(blob);
      const work = (): Promise<void> => {
        slots.allot();
        return translatingFsErrors(path, () => fill(slot, open));
      };
      await puts.run(blob.digest, () => slot.there, work, options?.signal);
    },
    finish: (keep, files) =>
      translatingFsErrors(path, async () => {
        const temporary = await file();
        const kept = slots.filled().filter(({ blob }) => keep.has(blob.digest));
        let at = await closeGaps(temporary.handle, kept);
        const writer = fileWriter(temporary.handle, at);
        for (const small of files) {
          const bytes = smallFileBytes(small);
          at += bytes.length;
          await writer.append(bytes);
        }
        await writer.append(END);
        await writer.truncate(at + END.length);
        await temporary.publish();
        opened = undefined;
      }),
    async [Symbol.asyncDispose]() {
      const pending = opened;
      opened = undefined;
      await puts.settled();
      await (await pending?.catch(() => undefined))?.discard();
    },
  };
}

/** Moves blobs down over the gaps of blobs that did not arrive. Returns the end of the last one. */
async function closeGaps(handle: FileHandle, slots: readonly Slot[]): Promise<number> {
  let end = 0;
  for (const slot of slots.toSorted((a, b) => startOf(a) - startOf(b))) {
    const length = lengthOf(slot);
    if (startOf(slot) !== end) await moveDown(handle, { from: startOf(slot), to: end, length });
    slot.at = end;
    end += length;
  }
  return end;
}

interface Move {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

async function moveDown(handle: FileHandle, { from, to, length }: Move): Promise<void> {
  for (let moved = 0; moved < length; ) {
    const buffer = Buffer.allocUnsafe(Math.min(MOVE_CHUNK, length - moved));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from + moved);
    if (bytesRead === 0) throw new Error('the archive that is being written has become shorter');
    await writeAt(handle, to + moved, buffer.subarray(0, bytesRead));
    moved += bytesRead;
  }
}

async function writeAt(handle: FileHandle, at: number, bytes: Uint8Array): Promise<void> {
  const writer = fileWriter(handle, at);
  await writer.append(bytes);
  await writer.flush();
}

interface Temporary {
  readonly handle: FileHandle;
  publish(): Promise<void>;
  discard(): Promise<void>;
}

/** Opens a temporary file beside the archive, or beside the target of a link. For a device or a pipe it is in `temporaryDirectory` and copied at the end. */
async function openTemporary(named: string, temporaryDirectory: string): Promise<Temporary> {
  return translatingFsErrors(named, async () => {
    const special = await isSpecial(named);
    if (special) return await openForCopying(named, temporaryDirectory);
    const path = await behindLinks(named);
    const directory = dirname(path);
    const temporary = await unfinishedPath(path);
    const handle = await open(temporary, 'wx+').catch((error: unknown) => {
      if (!isFsError(error, 'ENOENT', 'ENOTDIR')) throw error;
      throw new ImagesError('LOCATION_INVALID', `there is no directory ${directory} [${path}]`, {
        hint: 'Make it, or name another file.',
        cause: error,
      });
    });
    const discard = async () => {
      await handle.close();
      await rm(temporary, { force: true });
    };
    return {
      handle,
      discard,
      async publish() {
        try {
          await keepMode(path, handle);
          await handle.datasync();
          await rename(temporary, path);
        } finally {
          await discard();
        }
      },
    };
  });
}

/** Opens an unnamed file: nothing remains, even if the process is killed while nobody reads the pipe. */
async function openForCopying(path: string, temporaryDirectory: string): Promise<Temporary> {
  const handle = await temporaryFile(temporaryDirectory);
  const discard = () => handle.close();
  return {
    handle,
    discard,
    async publish() {
      try {
        await pipeline(await readFileBytes(handle, {}), createWriteStream(path, { flags: 'w' }));
      } finally {
        await discard();
      }
    },
  };
}

/** Gives the new archive the mode of the old one, so that nobody gains access. */
async function keepMode(path: string, handle: FileHandle): Promise<void> {
  const { mode } = await stat(path).catch(() => ({ mode: undefined }));
  if (mode !== undefined) await handle.chmod(mode & 0o777);
}

/** Whether the target is a device or a pipe. Errors: LOCATION_INVALID for a directory. */
async function isSpecial(path: string): Promise<boolean> {
  const target = await targetAt(path);
  if (target !== 'directory') return target === 'special';
  throw new ImagesError('LOCATION_INVALID', `a directory cannot be an archive [${path}]`, {
    hint: 'Name a file, or use oci:DIR.',
  });
}
