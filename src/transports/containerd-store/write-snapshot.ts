// Writes one layer for containerd: the directory of its snapshot, and after it the blob, which comes by while the layer is unpacked and is held until then.
import type { RewindableOutput } from '../../io/files/rewindable-output.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { Layer } from '../../rootfs/contract.ts';
import { type DeviceShape, deviceShape } from '../../rootfs/device-shape.ts';
import { type LayerDirectory, shownBelow } from '../../rootfs/layer-names.ts';
import { type OverlayFacts, overlayForm } from '../../rootfs/overlay-form.ts';
import { padding } from '../../tar/writer.ts';
import { type LayerAhead, readAhead } from '../layer-ahead.ts';
import { directoryEntry, fileHeader } from '../store-entries.ts';
import { type WaitingBytes, waitingBytes } from '../waiting-bytes.ts';
import { writeForm } from '../write-form.ts';

export interface SnapshotToWrite {
  readonly layer: Layer;
  /** The layers below, the base first. */
  readonly below: readonly Layer[];
  /** What they have, the uppermost first. */
  readonly namesBelow: readonly LayerDirectory[];
  /** The path of the snapshot's directory in the archive. */
  readonly directory: string;
  /** The path for the blob; absent if it is not to be written. */
  readonly blobAt?: string;
}

export interface WrittenSnapshot extends OverlayFacts {
  readonly names: LayerDirectory;
  readonly inodes: number;
  readonly bytes: number;
}

/** A layer that is being read, and its blob as far as it was read. */
export interface SnapshotAhead extends AsyncDisposable {
  readonly ahead: LayerAhead;
  readonly blob: WaitingBytes | undefined;
}

export interface WriteSnapshotOptions extends CallOptions {
  /** The directory for a blob that does not fit into memory. */
  readonly temporaryDirectory: string;
}

export const BLOB_MODE = 0o444;

/** Begins to read. */
export function readSnapshot(layer: Layer, keepsBlob: boolean, options: WriteSnapshotOptions): SnapshotAhead {
  const blob = keepsBlob ? waitingBytes(options.temporaryDirectory) : undefined;
  const { signal } = options;
  const ahead = readAhead(layer, {
    ...(signal && { signal }),
    ...(blob && {
      onBlob: async (chunk) => {
        blob.add(chunk);
        await blob.settled();
      },
    }),
  });
  return {
    ahead,
    blob,
    async [Symbol.asyncDispose]() {
      await ahead[Symbol.asyncDispose]();
      await blob?.[Symbol.asyncDispose]();
    },
  };
}

/** Errors: DIGEST_INVALID (the archive does not match its diffID, or the blob its digest), those of `overlayForm` and of the output. */
export async function writeSnapshot(
  one: SnapshotToWrite,
  output: RewindableOutput,
  options: WriteSnapshotOptions & { readonly begun?: SnapshotAhead },
): Promise<WrittenSnapshot> {
  const { layer, blobAt } = one;
  await output.mark();
  const keepsBlob = blobAt !== undefined;
  let reading = options.begun ?? readSnapshot(layer, keepsBlob, options);
  try {
    const written = await writeForm(layer, output, options, async (index) => {
      if (!index) return await attempt(one, output, { ...options, archive: reading.ahead.archive });
      // What was read is lost: the blob comes by a second time.
      await reading[Symbol.asyncDispose]();
      reading = readSnapshot(layer, keepsBlob, options);
      return await attempt(one, output, { ...options, index, archive: reading.ahead.archive });
    });
    if (blobAt !== undefined && reading.blob) {
      const size = await reading.blob.size();
      await output.write([fileHeader(blobAt, size, BLOB_MODE)]);
      for await (const chunk of reading.blob.bytes()) await output.write([chunk]);
      await output.write([padding(size)]);
    }
    return written;
  } finally {
    await reading[Symbol.asyncDispose]();
  }
}

async function attempt(
  { layer, below, namesBelow, directory }: SnapshotToWrite,
  output: RewindableOutput,
  options: CallOptions & Pick<Parameters<typeof overlayForm>[1], 'archive' | 'index'>,
): Promise<WrittenSnapshot> {
  await output.write([directoryEntry(directory, 0o700)]);
  const overlay = { directory: `${directory}/fs`, onlyDevices: true };
  let shape: DeviceShape | undefined;
  const form = overlayForm(layer, {
    ...options,
    ...overlay,
    below,
    reshape(own) {
      shape = deviceShape(own, shownBelow(namesBelow), overlay);
      return shape;
    },
  });
  let step = await form.next();
  for (; !step.done; step = await form.next()) {
    options.signal?.throwIfAborted();
    if (step.value.length > 0) await output.write(step.value);
  }
  if (!shape) throw new Error('a layer was written without a shape');
  const { inodes, size: bytes } = shape.usage();
  return { ...step.value, names: shape.root, inodes, bytes };
}
