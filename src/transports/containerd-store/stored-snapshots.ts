// The snapshots of an archive that this program has written: they are written again under other numbers, without being decompressed and hashed.
import type { FileHandle } from 'node:fs/promises';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import type { RewindableOutput } from '../../io/files/rewindable-output.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { layerNames } from '../../rootfs/layer-names.ts';
import { packer } from '../../rootfs/packer.ts';
import { paddedToBlock } from '../../tar/header.ts';
import { onlyHeader } from '../../tar/plain-header.ts';
import { readTar } from '../../tar/reader.ts';
import { padding, storedSize, tarHeader } from '../../tar/writer.ts';
import { seekEntries } from '../archive/seek-entries.ts';
import { fileHeader } from '../store-entries.ts';
import { type ContainerdArchive, readContainerdArchive } from './containerd-archive.ts';
import type { StoredSnapshots } from './write-containerd.ts';
import { BLOB_MODE } from './write-snapshot.ts';

interface Range {
  readonly from: number;
  to: number;
  /** No entry of the snapshot is elsewhere, and none has an attribute of overlayfs. */
  fits: boolean;
}

/** `root` is that of the next archive. The handle stays the caller's. Errors: TAR_INVALID. */
export async function storedSnapshots(handle: FileHandle, options: CallOptions): Promise<StoredSnapshots> {
  const archive = await readContainerdArchive(handle, options);
  const ranges = await rangesOf(handle, archive, options);
  const stored = new Map(archive.snapshotter.snapshots.map((one) => [one.name, one]));
  const byChain = new Map(archive.meta.snapshots.map(({ chain, name }) => [chain, stored.get(name)]));
  const rangeOf = (chain: string) => {
    const range = ranges.get(byChain.get(chain)?.id ?? -1);
    return range?.fits ? range : undefined;
  };
  return {
    has: (chain, blob) => rangeOf(chain) !== undefined && (!blob || archive.blob(blob)?.type === 'file'),
    async copy(chain, { directory, blob }, output) {
      const [range, record] = [rangeOf(chain), byChain.get(chain)];
      if (!range || record?.id === undefined) throw new Error('a snapshot was to be copied that is not there');
      const old = archive.directory(record.id);
      await output.mark();
      const names = await copyTree(handle, range, { old, directory }, output);
      const file = blob && archive.blob(blob.digest);
      if (blob && file) {
        await output.write([fileHeader(blob.at, file.size, BLOB_MODE)]);
        await output.copy(handle, file.at, file.at + paddedToBlock(file.size));
      }
      return { names, inodes: record.inodes, bytes: record.size };
    },
  };
}

async function rangesOf(
  handle: FileHandle,
  archive: ContainerdArchive,
  options: CallOptions,
): Promise<ReadonlyMap<number, Range>> {
  const ids = new Map<string, number>();
  for (const { id } of archive.snapshotter.snapshots) if (id !== undefined) ids.set(archive.directory(id), id);
  const ranges = new Map<number, Range>();
  const depth = archive.directory(0).split('/').length;
  let position = 0;
  let current: number | undefined;
  for await (const { name, at, xattrs, ...entry } of seekEntries(handle, options)) {
    const from = position;
    position = at + paddedToBlock(storedSize(entry));
    const id = ids.get(name.split('/').slice(0, depth).join('/'));
    const known = id === undefined ? undefined : ranges.get(id);
    if (id !== undefined && !known) ranges.set(id, { from, to: position, fits: true });
    else if (known && id === current) known.to = position;
    else if (known) known.fits = false;
    const range = id === undefined ? undefined : ranges.get(id);
    if (range && [...xattrs.keys()].some((key) => key.startsWith('trusted.'))) range.fits = false;
    current = id;
  }
  return ranges;
}

async function copyTree(
  handle: FileHandle,
  { from, to }: Range,
  { old, directory }: { readonly old: string; readonly directory: string },
  output: RewindableOutput,
): Promise<ReturnType<typeof layerNames>['root']> {
  const names = layerNames();
  const out = packer();
  const moved = (path: string) => `${directory}${path.slice(old.length)}`;
  const tree = `${old}/fs/`;
  for await (const entry of readTar(await readFileBytes(handle, { from, to }))) {
    const header = onlyHeader(entry);
    const linkname = header.type === 'hardlink' ? moved(header.linkname) : header.linkname;
    if (header.name.startsWith(tree)) names.add(header.name.slice(tree.length).replace(/\/$/, ''), header);
    const size = storedSize(header);
    await output.write(out.add(tarHeader({ ...header, name: moved(header.name), linkname })));
    if (size > 0) for await (const chunk of entry.stored) await output.write(out.add(chunk));
    await output.write(out.add(padding(size)));
  }
  await output.write(out.flush());
  return names.root;
}
