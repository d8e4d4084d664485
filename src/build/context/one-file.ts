// A tree with files that lie elsewhere: what a heredoc holds, what an address gave, the archive of the `tar` script. Each is a layer of one entry.
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
  /** Where it is known already that it is an archive, and what tells what it holds from others. */
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
  // Nobody asks for its digest: it is no layer of an image.
  const digest = digestOf(Buffer.from(file.name));
  return { descriptor: { mediaType: 'application/x-tar', digest, size: file.size }, open: async () => archive() };
}
