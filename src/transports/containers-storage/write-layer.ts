// Writes one layer into the archive of a store: its directory, its tree, its tar-split. Verified by its diffID.
import type { FileHandle } from 'node:fs/promises';
import { type Compression, peekCompression } from '../../io/compression/compression.ts';
import { decompressed } from '../../io/compression/decompress.ts';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import { type FileWriter, fileWriter } from '../../io/files/file-writer.ts';
import type { RewindableOutput } from '../../io/files/rewindable-output.ts';
import { temporaryFile, translatingTemporaryErrors } from '../../io/files/temporary-file.ts';
import type { Bytes, CallOptions } from '../../io/streams/bytes.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { Layer, LayerIndex } from '../../rootfs/contract.ts';
import { indexLayer } from '../../rootfs/layer-index.ts';
import { NotPlain, type OverlayFacts, overlayForm } from '../../rootfs/overlay-form.ts';
import type { RootDirectory } from '../../rootfs/overlay-header.ts';
import { settled } from '../../rootfs/read-to-end.ts';
import { tarSplitWriter } from '../../rootfs/tar-split-writer.ts';
import { padding } from '../../tar/writer.ts';
import { linkOf } from './layer-ids.ts';
import { directoryEntry, fileEntry, fileHeader, symlinkEntry } from './store-entries.ts';

export interface LayerToWrite {
  readonly id: string;
  /** Ids of the layers below, the nearest first. */
  readonly lower: readonly string[];
  readonly layer: Layer;
  /** The layers below, the base first. */
  readonly below: readonly Layer[];
  readonly rootBelow?: RootDirectory;
}

export interface WriteLayerOptions extends CallOptions {
  /** The path of the graph root in the archive: empty, or with a trailing `/`. */
  readonly root: string;
  readonly userXattr: boolean;
  /** The directory for a tar-split that is too large for memory. */
  readonly temporaryDirectory: string;
}

export interface WrittenLayer extends OverlayFacts {
  readonly compression: Compression | undefined;
}

/** The archive of a layer that is read ahead of its turn. */
export interface LayerAhead extends AsyncDisposable {
  readonly archive: Bytes;
  compression(): Compression | undefined;
}

/** How many bytes of a tar-split are held in memory: enough for a hundred thousand files. */
const IN_MEMORY = 16 << 20;

/** Errors: DIGEST_INVALID (the archive does not match its diffID), those of `overlayForm` and of the output. */
export async function writeStoreLayer(
  one: LayerToWrite,
  output: RewindableOutput,
  options: WriteLayerOptions & { readonly ahead?: LayerAhead },
): Promise<WrittenLayer> {
  await output.mark();
  await using ahead = options.ahead ?? readAhead(one.layer, options);
  let facts: OverlayFacts;
  try {
    facts = await attempt(one, output, { ...options, archive: ahead.archive });
  } catch (error) {
    if (!(error instanceof NotPlain)) throw await settled(one.layer, error, options);
    await output.rewind();
    const index = await indexLayer(one.layer, options);
    facts = await attempt(one, output, { ...options, index });
  }
  const { diffId } = one.layer;
  if (diffId !== undefined && facts.diffId !== diffId) {
    await output.rewind();
    const error = new ImagesError(
      'DIGEST_INVALID',
      `the diffID of layer ${one.layer.descriptor.digest} is ${facts.diffId}, the config says ${diffId}`,
      { hint: 'The image is damaged, or was made by a broken tool: `images check` tells more.' },
    );
    throw await settled(one.layer, error, options);
  }
  return { ...facts, compression: ahead.compression() };
}

/** Begins to read and to decompress. Disposing stops it, at any time. */
export function readAhead(layer: Layer, options: CallOptions): LayerAhead {
  let compression: Compression | undefined;
  async function* archive(): AsyncGenerator<Uint8Array> {
    // The decompressed archive is verified by its diffID, so the blob itself need not be hashed.
    const blob = await layer.open({ ...options, unverified: layer.diffId !== undefined });
    const peeked = await peekCompression(blob);
    compression = peeked.compression;
    yield* decompressed(peeked.body);
  }
  const stream = archive();
  let begun: Promise<IteratorResult<Uint8Array>> | undefined = stream.next();
  // The reader gets the failure.
  begun.catch(() => {});
  const iterator: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => iterator,
    next() {
      const next = begun ?? stream.next();
      begun = undefined;
      return next;
    },
    return: () => stream.return(undefined),
  };
  return {
    archive: iterator,
    compression: () => compression,
    async [Symbol.asyncDispose]() {
      await stream.return(undefined).catch(() => {});
    },
  };
}

/** Reads only as much of the layer as is needed to recognise the compression. */
export async function storedLayerCompression(layer: Layer, options: CallOptions): Promise<Compression | undefined> {
  const { compression, body } = await peekCompression(await layer.open(options));
  await body[Symbol.asyncIterator]().return?.();
  return compression;
}

interface Attempt extends WriteLayerOptions {
  readonly archive?: Bytes;
  readonly index?: LayerIndex;
}

async function attempt(one: LayerToWrite, output: RewindableOutput, options: Attempt): Promise<OverlayFacts> {
  const { id, layer, below, rootBelow } = one;
  const { root, userXattr, temporaryDirectory, ...call } = options;
  await output.write(skeleton(one, root));
  await using split = heldSplit(temporaryDirectory);
  const writer = tarSplitWriter(split.add);
  try {
    const form = overlayForm(layer, {
      ...call,
      directory: `${root}overlay/${id}/diff`,
      userXattr,
      below,
      ...(rootBelow && { rootBelow }),
      split: writer,
    });
    let step = await form.next();
    for (; !step.done; step = await form.next()) {
      call.signal?.throwIfAborted();
      if (step.value.length > 0) await output.write(step.value);
      await split.settled();
    }
    const size = await split.size();
    await output.write([fileHeader(`${root}overlay-layers/${id}.tar-split.gz`, size, 0o600)]);
    for await (const chunk of split.bytes()) await output.write([chunk]);
    await output.write([padding(size)]);
    return step.value;
  } finally {
    writer.abandon();
  }
}

/** The driver's files beside the tree. All versions read `lower`; newer ones prefer `lower-layers`, which needs no links. */
function skeleton({ id, lower }: LayerToWrite, root: string): readonly Uint8Array[] {
  const directory = `${root}overlay/${id}`;
  const link = linkOf(id);
  const links = lower.map((one) => `l/${linkOf(one)}`).join(':');
  return [
    directoryEntry(directory, 0o700),
    ...fileEntry(`${directory}/link`, link, 0o644),
    ...(lower.length > 0
      ? [
          ...fileEntry(`${directory}/lower`, links, 0o644),
          ...fileEntry(`${directory}/lower-layers`, lower.join(':'), 0o644),
        ]
      : [directoryEntry(`${directory}/empty`, 0o700)]),
    directoryEntry(`${directory}/merged`, 0o700),
    directoryEntry(`${directory}/work`, 0o700),
    symlinkEntry(`${root}overlay/l/${link}`, `../${id}/diff`),
  ];
}

interface HeldSplit extends AsyncDisposable {
  add(chunk: Uint8Array): void;
  /** Resolves when everything that exceeds the memory limit is written to disk. */
  settled(): Promise<void>;
  size(): Promise<number>;
  bytes(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** A tar header needs the size of the file first, so the tar-split is held until it is complete. */
function heldSplit(directory: string): HeldSplit {
  let chunks: Uint8Array[] = [];
  let length = 0;
  let total = 0;
  let spill: { readonly handle: FileHandle; readonly writer: FileWriter } | undefined;
  const settled = async (): Promise<void> => {
    if (length < IN_MEMORY) return;
    if (!spill) {
      const handle = await temporaryFile(directory);
      spill = { handle, writer: fileWriter(handle, 0) };
    }
    const out = chunks;
    [chunks, length] = [[], 0];
    await append(spill.writer, out);
  };
  const append = (writer: FileWriter, bytes: readonly Uint8Array[], last = false): Promise<void> =>
    translatingTemporaryErrors(directory, async () => {
      for (const chunk of bytes) await writer.append(chunk);
      if (last) await writer.flush();
    });
  return {
    add(chunk) {
      chunks.push(chunk);
      length += chunk.length;
      total += chunk.length;
    },
    settled,
    async size() {
      if (spill) await append(spill.writer, chunks, true);
      return total;
    },
    async *bytes() {
      if (spill) yield* await readFileBytes(spill.handle, { to: total });
      else yield* chunks;
    },
    async [Symbol.asyncDispose]() {
      await spill?.handle.close();
    },
  };
}
