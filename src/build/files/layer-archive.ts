// The archive of a layer as it is written: bytes to hand on, and at the end the index of what was written, so that nobody has to read it again.
import type { IndexedEntry, LayerIndex } from '../../rootfs/contract.ts';
import { packer } from '../../rootfs/packer.ts';
import type { TarHeader } from '../../tar/entry.ts';
import { type Refit, refitted, withWholeBlocks } from '../../tar/sparse-pieces.ts';
import type { TarTime } from '../../tar/time.ts';
import { endOfArchive, padding, storedSize, tarHeader } from '../../tar/writer.ts';

export interface LayerArchiveWriter {
  /** An entry's beginning; of a file, `content` and `end` follow. Returns what is full. */
  begin(path: string, header: TarHeader): readonly Uint8Array[];
  content(bytes: Uint8Array): readonly Uint8Array[];
  end(): readonly Uint8Array[];
  /** The archive's end. */
  finish(): readonly Uint8Array[];
  index(): LayerIndex;
}

/** `timeOf` is what becomes of files' times. */
export function layerArchiveWriter(timeOf: (time: TarTime) => TarTime): LayerArchiveWriter {
  const out = packer();
  const entries: IndexedEntry[] = [];
  let position = 0;
  let stored = 0;
  let refit: Refit | undefined;
  return {
    begin(path, given) {
      const isDirectory = given.type === 'directory';
      // Linux knows no modes of links; archives say this or that.
      const mode = given.type === 'symlink' ? 0o777 : given.mode;
      const named = { ...given, name: isDirectory ? `${path}/` : path, mode, mtime: timeOf(given.mtime) };
      const header = withWholeBlocks(named);
      refit = refitted(named, header);
      const bytes = tarHeader(header);
      const head = position;
      const body = head + bytes.length;
      stored = storedSize(header);
      const end = body + stored + padding(stored).length;
      entries.push({ ...header, path, position: { head, body, end } });
      position = end;
      return out.add(bytes);
    },
    content: (bytes) => (refit ? [...refit(bytes)].flatMap(out.add) : out.add(bytes)),
    end: () => (stored === 0 ? [] : out.add(padding(stored))),
    finish: () => [...out.add(endOfArchive()), ...out.flush()],
    index: () => ({ entries }),
  };
}
