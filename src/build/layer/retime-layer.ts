// Rewrites a layer with other times, so that a RUN need not be executed again because of a time.
import { decompressed } from '../../io/compression/decompress.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { Layer } from '../../rootfs/contract.ts';
import { cleanPath } from '../../rootfs/path.ts';
import { readTar } from '../../tar/reader.ts';
import { formatTime, parseTime, type TarTime } from '../../tar/time.ts';
import { type LayerArchiveWriter, layerArchiveWriter } from '../files/layer-archive.ts';

/** `times` are the original times of the entries, in the archive's order. */
export async function* retimed(
  layer: Layer,
  times: readonly string[],
  timeOf: (time: TarTime) => TarTime,
  options: CallOptions = {},
): AsyncGenerator<Uint8Array> {
  let at = 0;
  const original = (time: TarTime): TarTime => timeOf(parseTime(times[at++] ?? '') ?? time);
  yield* rewritten(decompressed(await layer.open(options)), layerArchiveWriter(original));
}

/** Rewrites the archive of a RUN as a layer. `onTime` is called with the original time of each entry. */
export async function* rewritten(
  bytes: AsyncIterable<Uint8Array>,
  archive: LayerArchiveWriter,
  onTime: (time: string) => void = () => {},
): AsyncGenerator<Uint8Array> {
  for await (const entry of readTar(bytes, { tail: () => {} })) {
    const path = cleanPath(entry.name);
    if (path === '') continue;
    onTime(formatTime(entry.mtime));
    yield* archive.begin(path, entry);
    for await (const chunk of entry.stored) yield* archive.content(chunk);
    yield* archive.end();
  }
  yield* archive.finish();
}
