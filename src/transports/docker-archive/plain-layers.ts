// Layers that old Docker daemons cannot read (zstd, xz, bzip2), unpacked for an archive, and the manifest that goes with them.
import { type Compression, compressionOf, MAGIC_LENGTH } from '../../io/compression.ts';
import { decompressed } from '../../io/decompress.ts';
import { readFileBytes } from '../../io/file-bytes.ts';
import { spooled } from '../../io/temporary-file.ts';
import * as decode from '../../oci/decode.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digester } from '../../oci/digest.ts';
import { type RawManifest, rawManifest } from '../../oci/manifest.ts';
import { DOCKER_LAYER, isLayerType, OCI_LAYER } from '../../oci/media-types.ts';
import type { Bytes } from '../../registry/contract.ts';

/** A layer, unpacked into a file without a name; disposing frees it. */
export interface PlainLayer extends AsyncDisposable {
  readonly descriptor: Descriptor;
  open(from: number): Promise<Bytes>;
}

/** Whether the type alone says that the layer has to be unpacked. */
export function saysUnreadable(mediaType: string): boolean {
  return isLayerType(mediaType) && /[.+](?:zstd|xz|bzip2)$/.test(mediaType);
}

export interface Peeked {
  readonly compression: Compression | undefined;
  /** As many as tell. */
  readonly first: Uint8Array;
  /** All bytes, the first ones included. */
  readonly body: Bytes;
}

/** Looks at the first bytes. */
export async function peekCompression(body: Bytes): Promise<Peeked> {
  const iterator = body[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (size < MAGIC_LENGTH) {
    const next = await iterator.next();
    if (next.done) break;
    chunks.push(next.value);
    size += next.value.length;
  }
  const first = Buffer.concat(chunks);
  const whole: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => whole,
    next: async () => {
      const chunk = chunks.shift();
      return chunk ? { done: false, value: chunk } : iterator.next();
    },
    return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
  };
  return { compression: compressionOf(first), first, body: whole };
}

/** Unpacks into `directory`. Errors: COMPRESSION_INVALID, NO_SPACE, the body's. */
export async function unpackLayer(layer: Descriptor, body: Bytes, directory: string): Promise<PlainLayer> {
  const hash = digester('sha256');
  let size = 0;
  const measured = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of decompressed(body)) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  };
  const handle = await spooled(measured(), directory);
  const digest: Digest = `sha256:${hash.digest('hex')}`;
  const mediaType = layer.mediaType.startsWith('application/vnd.docker.') ? DOCKER_LAYER : OCI_LAYER;
  return {
    descriptor: { mediaType, digest, size },
    open: (from) => readFileBytes(handle, { from }),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** The manifest with the unpacked layers in place of the packed ones; itself where none is. */
export function withPlainLayers(raw: RawManifest, plain: ReadonlyMap<Digest, Descriptor>): RawManifest {
  const fields = decode.object(decode.parseJson(raw.bytes, 'manifest'), 'manifest');
  let changed = false;
  const layers = decode.array(fields.layers ?? [], 'manifest.layers').map((layer) => {
    const found = decode.isObject(layer) ? plain.get(layer.digest as Digest) : undefined;
    changed ||= found !== undefined;
    return found ?? layer;
  });
  return changed ? rawManifest(Buffer.from(JSON.stringify({ ...fields, layers })), raw.mediaType) : raw;
}
