// Decompresses layers that old Docker daemons cannot read (zstd, xz, bzip2) for an archive, and adapts the manifest.
import { peekCompression } from '../../io/compression/compression.ts';
import { decompressed } from '../../io/compression/decompress.ts';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import { spooled } from '../../io/files/temporary-file.ts';
import type { Bytes, OpenContent } from '../../io/streams/bytes.ts';
import { measured } from '../../io/streams/measure.ts';
import { verified } from '../../io/streams/verify.ts';
import * as decode from '../../oci/decode.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { type RawManifest, rawManifest } from '../../oci/manifest.ts';
import { DOCKER_LAYER, isLayerType, OCI_LAYER } from '../../oci/media-types.ts';

/** A decompressed layer in an unnamed file. Disposing frees it. */
export interface PlainLayer extends AsyncDisposable {
  readonly descriptor: Descriptor;
  open(from: number): Promise<Bytes>;
}

/** Whether the media type alone tells that the layer has to be decompressed. */
export function saysUnreadable(mediaType: string): boolean {
  return isLayerType(mediaType) && /[.+](?:zstd|xz|bzip2)$/.test(mediaType);
}

/** Decompresses into `directory`. Errors: COMPRESSION_INVALID, NO_SPACE, the body's. */
export async function unpackLayer(layer: Descriptor, body: Bytes, directory: string): Promise<PlainLayer> {
  const plain = measured(decompressed(body));
  const handle = await spooled(plain.body, directory);
  const mediaType = layer.mediaType.startsWith('application/vnd.docker.') ? DOCKER_LAYER : OCI_LAYER;
  return {
    descriptor: { mediaType, ...plain.result() },
    open: (from) => readFileBytes(handle, { from }),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** The manifest with the decompressed layers instead of the original ones. Returned unchanged if there are none. */
export function withPlainLayers(raw: RawManifest, plain: Pick<ReadonlyMap<Digest, Descriptor>, 'get'>): RawManifest {
  const fields = decode.object(decode.parseJson(raw.bytes, 'manifest'), 'manifest');
  let changed = false;
  const layers = decode.array(fields.layers ?? [], 'manifest.layers').map((layer) => {
    const found = decode.isObject(layer) ? plain.get(layer.digest as Digest) : undefined;
    changed ||= found !== undefined;
    return found ?? layer;
  });
  return changed ? rawManifest(Buffer.from(JSON.stringify({ ...fields, layers })), raw.mediaType) : raw;
}

/** The layers of a sink that had to be decompressed. Disposing frees them. */
export interface PlainLayers extends AsyncDisposable {
  has(digest: Digest): boolean;
  /** The decompressed layer. */
  get(digest: Digest): Descriptor | undefined;
  /** Writes the layer if old daemons can read it; else keeps it, decompressed. */
  put(layer: Descriptor, open: OpenContent, write: (content: OpenContent) => Promise<void>): Promise<void>;
  sorted(): readonly PlainLayer[];
}

export function plainLayers(directory: string): PlainLayers {
  const plain = new Map<Digest, PlainLayer>();
  return {
    has: (digest) => plain.has(digest),
    get: (digest) => plain.get(digest)?.descriptor,
    put: async (layer, open, write) => {
      const { compression, body } = await peekCompression(verified(await open(0), layer));
      if (compression !== undefined && compression !== 'gzip') {
        plain.set(layer.digest, await unpackLayer(layer, body, directory));
        return;
      }
      try {
        await write(onceOpened(body, open));
      } finally {
        // If the body was not read, for example after an error, it is still open.
        await body[Symbol.asyncIterator]().return?.();
      }
    },
    sorted: () => [...plain.values()].sort((a, b) => (a.descriptor.digest < b.descriptor.digest ? -1 : 1)),
    [Symbol.asyncDispose]: async () => {
      for (const layer of plain.values()) await layer[Symbol.asyncDispose]();
      plain.clear();
    },
  };
}

/** Returns the body that was peeked at the first time, and opens the blob anew after that. */
function onceOpened(body: Bytes, open: OpenContent): OpenContent {
  let first: Bytes | undefined = body;
  return async (from) => {
    const opened = first;
    first = undefined;
    return opened ?? open(from);
  };
}
