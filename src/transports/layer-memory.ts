// What layers become when they are compressed, remembered between runs: a destination that has the result already needs neither the work nor the bytes.
import { join } from 'node:path';
import { readCacheFile, writeCacheFile } from '../io/cache-file.ts';
import { isObject } from '../oci/decode.ts';
import { type Digest, digestHex, digestOf, isDigest } from '../oci/digest.ts';

export interface CompressedForm {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

export interface RememberedImage {
  readonly mediaType: string;
  readonly manifest: Uint8Array;
  readonly config: Uint8Array;
}

export interface LayerMemory {
  /** Of the layer with this diffID. */
  layer(diffId: Digest): Promise<CompressedForm | undefined>;
  rememberLayer(diffId: Digest, form: CompressedForm): Promise<void>;
  /** Of an image that its place knows by this id, with its layers compressed. */
  image(id: Digest): Promise<RememberedImage | undefined>;
  rememberImage(id: Digest, image: RememberedImage): Promise<void>;
}

/** `forms` says all that the compressed bytes depend on: kind, level, and what compresses. */
export function layerMemory(directory: string, forms: string): LayerMemory {
  const place = (kind: string, digest: Digest) => join(directory, forms, kind, digestHex(digest));
  return {
    async layer(diffId) {
      const value = await readCacheFile(place('layers', diffId));
      const { digest, size } = isObject(value) ? value : {};
      return isDigest(digest) && Number.isSafeInteger(size) ? { digest, size: size as number } : undefined;
    },
    rememberLayer: (diffId, form) => writeCacheFile(place('layers', diffId), form),
    async image(id) {
      const value = await readCacheFile(place('images', id));
      const { mediaType, manifest, config, sum } = isObject(value) ? value : {};
      if (typeof mediaType !== 'string' || typeof manifest !== 'string' || typeof config !== 'string') return undefined;
      // A cut file must not become another image.
      if (sum !== digestOf(Buffer.from(manifest + config))) return undefined;
      return { mediaType, manifest: Buffer.from(manifest, 'base64'), config: Buffer.from(config, 'base64') };
    },
    async rememberImage(id, image) {
      const [manifest, config] = [image.manifest, image.config].map((bytes) => Buffer.from(bytes).toString('base64'));
      const sum = digestOf(Buffer.from(`${manifest}${config}`));
      await writeCacheFile(place('images', id), { mediaType: image.mediaType, manifest, config, sum });
    },
  };
}
