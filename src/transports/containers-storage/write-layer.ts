// Writes one layer into the archive of a store: its directory, its tree, its tar-split. Verified by its diffID.
import { type Compression, peekCompression } from '../../io/compression/compression.ts';
import type { RewindableOutput } from '../../io/files/rewindable-output.ts';
import type { Bytes, CallOptions } from '../../io/streams/bytes.ts';
import type { Layer, LayerIndex } from '../../rootfs/contract.ts';
import { type OverlayFacts, overlayForm } from '../../rootfs/overlay-form.ts';
import type { RootDirectory } from '../../rootfs/overlay-header.ts';
import { tarSplitWriter } from '../../rootfs/tar-split-writer.ts';
import { padding } from '../../tar/writer.ts';
import { type LayerAhead, readAhead } from '../layer-ahead.ts';
import { directoryEntry, fileEntry, fileHeader, symlinkEntry } from '../store-entries.ts';
import { waitingBytes } from '../waiting-bytes.ts';
import { writeForm } from '../write-form.ts';
import { linkOf } from './layer-ids.ts';

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

/** Errors: DIGEST_INVALID (the archive does not match its diffID), those of `overlayForm` and of the output. */
export async function writeStoreLayer(
  one: LayerToWrite,
  output: RewindableOutput,
  options: WriteLayerOptions & { readonly ahead?: LayerAhead },
): Promise<WrittenLayer> {
  await output.mark();
  await using ahead = options.ahead ?? readAhead(one.layer, options);
  const facts = await writeForm(one.layer, output, options, (index) =>
    attempt(one, output, { ...options, ...(index ? { index } : { archive: ahead.archive }) }),
  );
  return { ...facts, compression: ahead.compression() };
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
  await using split = waitingBytes(temporaryDirectory);
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
