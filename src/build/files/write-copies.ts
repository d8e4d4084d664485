// The layer of a COPY: first the plan, then the archive. Each source layer is read in its own order, and normally once.
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { IndexedEntry, Layer } from '../../rootfs/contract.ts';
import { layerFiles } from '../../rootfs/layer-files.ts';
import type { TarHeader } from '../../tar/entry.ts';
import { storedSize } from '../../tar/writer.ts';
import type { FileContent, OnContent } from './copy-files.ts';
import type { LayerArchiveWriter } from './layer-archive.ts';

export interface FileCopyPlan {
  /** The target's `emit`. */
  collect(path: string, header: TarHeader): void;
  readonly onContent: OnContent;
  isEmpty(): boolean;
  /** Yields the bytes of the entries, without the archive's end. */
  write(archive: LayerArchiveWriter, options?: CallOptions): AsyncGenerator<Uint8Array>;
}

/** A path that is put twice is written once, in its last state. */
export function createCopyPlan(): FileCopyPlan {
  const planned = new Map<string, TarHeader>();
  const contents = new Map<string, FileContent>();
  return {
    collect: (path, header) => {
      if (header.type !== 'directory') dropBelow(planned, path);
      planned.delete(path);
      planned.set(path, header);
    },
    onContent: (path, content) => contents.set(path, content),
    isEmpty: () => planned.size === 0,
    async *write(archive, options = {}) {
      const links: [string, TarHeader][] = [];
      const files = new Map<Layer, Wanted[]>();
      for (const [path, header] of planned) {
        if (header.type === 'hardlink') links.push([path, header]);
        else if (storedSize(header) === 0) yield* archive.begin(path, header);
        else addFile(files, contents.get(path) as FileContent, { path, header });
      }
      for (const [layer, readings] of files) {
        for (const wanted of readings) yield* contentsOf(layer, wanted, archive, options);
      }
      for (const [path, header] of links) yield* archive.begin(path, header);
    },
  };
}

interface PlannedFile {
  readonly path: string;
  readonly header: TarHeader;
}

/** The files to copy in one reading of a layer. A file that is copied to two paths needs two readings. */
type Wanted = Map<IndexedEntry, PlannedFile>;

function addFile(files: Map<Layer, Wanted[]>, { source, inode }: FileContent, file: PlannedFile): void {
  const layer = source.layers[inode.layer] as Layer;
  const entry = inode.entry as IndexedEntry;
  const readings = files.get(layer) ?? [];
  files.set(layer, readings);
  let reading = readings.find((each) => !each.has(entry));
  if (!reading) {
    reading = new Map();
    readings.push(reading);
  }
  reading.set(entry, file);
}

async function* contentsOf(
  layer: Layer,
  wanted: Wanted,
  archive: LayerArchiveWriter,
  options: CallOptions,
): AsyncGenerator<Uint8Array> {
  const sorted = [...wanted.keys()].sort((a, b) => a.position.body - b.position.body);
  for await (const portions of layerFiles(layer, sorted, options)) {
    for (const { file, bytes, begins, ends } of portions) {
      const { path, header } = wanted.get(file) as PlannedFile;
      if (begins) yield* archive.begin(path, header);
      yield* archive.content(bytes);
      if (ends) yield* archive.end();
    }
  }
}

function dropBelow(planned: Map<string, TarHeader>, path: string): void {
  if (planned.get(path)?.type !== 'directory') return;
  for (const name of planned.keys()) if (name.startsWith(`${path}/`)) planned.delete(name);
}
