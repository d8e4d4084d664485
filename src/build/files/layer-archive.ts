// Writes the archive of a layer: returns bytes, and at the end the index of what was written, so that the layer need not be read for it.
import type { IndexedEntry, LayerIndex } from '../../rootfs/contract.ts';
import { packer } from '../../rootfs/packer.ts';
import type { TarHeader } from '../../tar/entry.ts';
import { type Refit, refitted, withWholeBlocks } from '../../tar/sparse-pieces.ts';
import type { TarTime } from '../../tar/time.ts';
import { endOfArchive, padding, storedSize, tarHeader } from '../../tar/writer.ts';

export interface LayerArchiveWriter {
  /** Begins an entry. For a file, calls of `content` and `end` follow. Returns the complete chunks. */
  begin(path: string, header: TarHeader): readonly Uint8Array[];
  content(bytes: Uint8Array): readonly Uint8Array[];
  end(): readonly Uint8Array[];
  /** Writes the end of the archive. */
  finish(): readonly Uint8Array[];
  index(): LayerIndex;
}

/** `timeOf` maps the times of files. */
export function layerArchiveWriter(timeOf: (time: TarTime) => TarTime): LayerArchiveWriter {
  const out = packer();
  const entries: IndexedEntry[] = [];
  let position = 0;
  let stored = 0;
  let refit: Refit | undefined;
  return {
    begin(path, given) {
      const isDirectory = given.type === 'directory';
      // Linux has no modes for symbolic links, and archives differ in theirs: always 0777.
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
