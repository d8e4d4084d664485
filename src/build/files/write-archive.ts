// Writes the entries of an archive that ADD unpacks, one at a time: file contents are passed through.
import { decompressed } from '../../io/compression/decompress.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { TarHeader } from '../../tar/entry.ts';
import { readTar } from '../../tar/reader.ts';
import type { LayerArchiveWriter } from './layer-archive.ts';
import type { Target } from './target.ts';
import type { SourceArchive } from './tree-source.ts';
import { createUnpacker, type UnpackRules } from './unpack-archive.ts';

export interface ArchiveUnpacking {
  readonly target: Target;
  readonly rules: UnpackRules;
  /** What the target emits; entries are removed as they are written. */
  readonly emitted: [path: string, header: TarHeader][];
}

/** Yields the layer's bytes, without the archive's end. Errors: TAR_INVALID, COMPRESSION_INVALID, PATH_UNKNOWN. */
export async function* writeUnpacked(
  file: SourceArchive,
  { target, rules, emitted }: ArchiveUnpacking,
  archive: LayerArchiveWriter,
  options: CallOptions = {},
): AsyncGenerator<Uint8Array> {
  const unpacker = createUnpacker(target, rules);
  for await (const entry of readTar(decompressed(await file.open(options)), { tail: () => {} })) {
    unpacker.add(entry);
    for (const [path, header] of emitted.splice(0)) {
      yield* archive.begin(path, header);
      if (header.type !== 'file') continue;
      for await (const chunk of entry.stored) yield* archive.content(chunk);
      yield* archive.end();
    }
  }
  for (const [path, header] of emitted.splice(0)) yield* archive.begin(path, header);
}
