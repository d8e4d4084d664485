// The layers of a store archive that this program has written. Each is one range, which can be copied unchanged into the next archive.
import type { FileHandle } from 'node:fs/promises';
import type { Compression } from '../../io/compression/compression.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import * as decode from '../../oci/decode.ts';
import { isDigest } from '../../oci/digest.ts';
import type { RootDirectory } from '../../rootfs/overlay-header.ts';
import { paddedToBlock } from '../../tar/header.ts';
import { storedSize } from '../../tar/writer.ts';
import { seekEntries } from '../archive/seek-entries.ts';
import { linkOf } from './layer-ids.ts';
import type { StoredLayers } from './write-layers.ts';
import type { LayerRecord } from './written-records.ts';

export interface StoredLayersOptions extends CallOptions {
  /** This and `userXattr` are those of the next archive: only layers that fit are found. */
  readonly graphRoot: string;
  readonly userXattr: boolean;
}

interface FoundRange {
  readonly from: number;
  to: number;
  /** The tar-split, which comes last, has been read. */
  isWhole: boolean;
  root?: RootDirectory;
  /** The attribute for opaque directories is the one that the next archive uses. */
  fits: boolean;
}

/** Leaves out layers that do not fit the next archive or were written in another order. The handle stays the caller's. Errors: TAR_INVALID. */
export async function storedLayers(handle: FileHandle, options: StoredLayersOptions): Promise<StoredLayers> {
  const root = options.graphRoot === '' ? '' : `${options.graphRoot}/`;
  const foreign = options.userXattr ? 'trusted.overlay.opaque' : 'user.overlay.opaque';
  const ranges = new Map<string, FoundRange>();
  let records: ReadonlyMap<string, LayerRecord> = new Map();
  let position = 0;
  let current: readonly [string, FoundRange] | undefined;
  for await (const entry of seekEntries(handle, options)) {
    const from = position;
    const to = entry.at + paddedToBlock(storedSize(entry));
    position = to;
    const path = entry.name.startsWith(root) ? entry.name.slice(root.length) : '';
    const begins = /^overlay\/([0-9a-f]{64})\/$/.exec(path)?.[1];
    if (begins !== undefined) {
      current = [begins, { from, to, isWhole: false, fits: true }];
      ranges.set(...current);
      continue;
    }
    if (path === 'overlay-layers/layers.json') records = await readRecords(handle, entry.at, entry.size);
    if (!current) continue;
    const [id, range] = current;
    range.to = to;
    if (entry.xattrs.has(foreign)) range.fits = false;
    if (path === `overlay/${id}/diff/`) range.root = { mode: entry.mode, uid: entry.uid, gid: entry.gid };
    if (path === `overlay-layers/${id}.tar-split.gz`) {
      range.isWhole = true;
      current = undefined;
    } else if (!path.startsWith(`overlay/${id}/`) && path !== `overlay/l/${linkOf(id)}`) current = undefined;
  }
  const usable = (id: string): FoundRange | undefined => {
    const range = ranges.get(id);
    return range?.isWhole && range.fits && range.root && records.has(id) ? range : undefined;
  };
  return {
    record: (id) => (usable(id) ? records.get(id) : undefined),
    rootDirectory: (id) => usable(id)?.root,
    async copy(id, output) {
      const range = usable(id);
      if (!range) throw new Error('a layer was to be copied that is not there');
      await output.copy(handle, range.from, range.to);
    },
  };
}

const COMPRESSIONS: readonly (Compression | undefined)[] = [undefined, 'bzip2', 'gzip', 'xz', 'zstd'];

/** The records that have all fields that the next archive needs. */
async function readRecords(handle: FileHandle, at: number, size: number): Promise<ReadonlyMap<string, LayerRecord>> {
  const { buffer } = await handle.read(Buffer.alloc(size), 0, size, at);
  const list = decode.array(decode.parseJson(buffer, 'layers.json'), 'layers.json');
  return new Map(
    list.flatMap((value) => {
      const record = readRecord(decode.object(value, 'layers.json'));
      return record ? [[record.id, record] as const] : [];
    }),
  );
}

function readRecord(fields: decode.Json): LayerRecord | undefined {
  const { id, parent, created, uidset, gidset } = fields;
  const [digest, diffId] = [fields['compressed-diff-digest'], fields['diff-digest']];
  const [blobSize, size, code] = [fields['compressed-size'], fields['diff-size'], fields.compression ?? 0];
  if (typeof id !== 'string' || typeof created !== 'string' || !isDigest(digest) || !isDigest(diffId)) return undefined;
  if (typeof blobSize !== 'number' || typeof size !== 'number' || typeof code !== 'number') return undefined;
  const compression = COMPRESSIONS[code];
  return {
    id,
    ...(typeof parent === 'string' && { parent }),
    created,
    blob: { digest, size: blobSize, ...(compression && { compression }) },
    diffId,
    size,
    uids: numbers(uidset),
    gids: numbers(gidset),
  };
}

function numbers(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.filter((id) => typeof id === 'number') : [];
}
