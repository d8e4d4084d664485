// A small archive of the files for a RUN, made in memory: nothing is written to a disk.
import type { TarHeader } from '../../tar/entry.ts';
import { encodeName } from '../../tar/names.ts';
import { type TarInput, writeTar } from '../../tar/writer.ts';
import { emptyHeader } from './mount-points.ts';

export interface MemoryFile {
  readonly name: string;
  readonly content: string | Uint8Array;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export function memoryArchive(files: readonly MemoryFile[], others: readonly TarHeader[]): AsyncIterable<Uint8Array> {
  return writeTar([...others, ...files.map(inputOf)]);
}

function inputOf({ name, content, mode = 0o600, uid = 0, gid = 0 }: MemoryFile): TarInput {
  const bytes = typeof content === 'string' ? encodeName(content) : content;
  return { ...emptyHeader(name, 'file', mode), uid, gid, size: bytes.length, body: once(bytes) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
