// A tree of files from outside of the context: the content of a heredoc, a download, the archive of the `tar` script. Each file is a layer with one entry.
import type { Bytes } from '../../io/streams/bytes.ts';
import { digestOf } from '../../oci/digest.ts';
import { applyLayers } from '../../rootfs/apply-layers.ts';
import type { Layer } from '../../rootfs/contract.ts';
import type { Inode } from '../../rootfs/tree.ts';
import type { TarHeader } from '../../tar/entry.ts';
import { plainHeader } from '../../tar/plain-header.ts';
import type { TarTime } from '../../tar/time.ts';
import { endOfArchive, padding, tarHeader } from '../../tar/writer.ts';
import { isArchive } from '../files/is-archive.ts';
import type { SourceArchive, TreeSource } from '../files/tree-source.ts';
import { scanArchive } from './scan-archive.ts';

export interface OutsideFile {
  readonly name: string;
  readonly size: number;
  readonly mode: number;
  readonly time: TarTime;
  open(): Bytes;
  contentId(): Promise<string>;
  /** Present if the file is already known to be an archive. Returns an id of the archive's content. */
  archiveId?(): Promise<string>;
}

/** A tree of these files, as a source of COPY and ADD. */
export function filesSource(name: string, files: readonly OutsideFile[]): TreeSource {
  const layers = files.map(layerOf);
  const indexes = files.map((file) => {
    const header = headerOf(file);
    const body = tarHeader(header).length;
    const end = body + file.size + padding(file.size).length;
    return { entries: [{ ...header, path: file.name, position: { head: 0, body, end } }] };
  });
  const fileOf = (inode: Inode) => files[inode.layer] as OutsideFile;
  return {
    name,
    layers,
    tree: applyLayers(indexes, { noWhiteouts: true }),
    contentId: (inode) => fileOf(inode).contentId(),
    archive: (inode) => archiveOf(fileOf(inode)),
  };
}

/** A file in memory. */
export function fileInMemory(
  name: string,
  content: Uint8Array,
  { mode, time }: Pick<OutsideFile, 'mode' | 'time'>,
): OutsideFile {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    if (content.length > 0) yield content;
  }
  return { name, size: content.length, mode, time, open: bytes, contentId: async () => digestOf(content) };
}

async function archiveOf(file: OutsideFile): Promise<SourceArchive | undefined> {
  const open = async () => file.open();
  if (file.archiveId) return { id: await file.archiveId(), open };
  return (await isArchive(file.open())) ? { id: (await scanArchive(file.open())).id, open } : undefined;
}

function headerOf({ name, size, mode, time }: OutsideFile): TarHeader {
  return plainHeader({ name, type: 'file', size, mode, mtime: time });
}

function layerOf(file: OutsideFile): Layer {
  async function* archive(): AsyncGenerator<Uint8Array> {
    yield tarHeader(headerOf(file));
    yield* file.open();
    yield padding(file.size);
    yield endOfArchive();
  }
  // The digest is never used: this layer belongs to no image.
  const digest = digestOf(Buffer.from(file.name));
  return { descriptor: { mediaType: 'application/x-tar', digest, size: file.size }, open: async () => archive() };
}
