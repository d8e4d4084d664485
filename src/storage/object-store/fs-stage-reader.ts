// Reads a stage beside its owner.
import { type FileHandle, open } from 'node:fs/promises';
import { readInto } from '../../io/files/file-bytes.ts';
import type { StageReader } from './object-store.ts';

/** A descriptor of its own, so that neither a new name of the file nor its end matters. */
export async function stageReader(path: string): Promise<StageReader> {
  const handle = await open(path, 'r');
  const reader: StageReader = {
    read: (buffer, position) => readInto(handle, position, buffer),
    [Symbol.asyncDispose]: async () => {
      forgotten.unregister(reader);
      await handle.close();
    },
  };
  forgotten.register(reader, handle, reader);
  return reader;
}

/** A FileHandle that the garbage collector finds open ends the program. */
const forgotten = new FinalizationRegistry<FileHandle>((handle) => void handle.close().catch(() => {}));
