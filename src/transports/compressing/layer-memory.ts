// Remembers the compressed forms of layers between runs: if the destination has the result, the layer is neither compressed nor read.
import { join } from 'node:path';
import { cacheFolder } from '../../io/files/cache-folder.ts';
import { isObject } from '../../oci/decode.ts';
import { type Digest, digestHex, digestOf, isDigest } from '../../oci/digest.ts';
import type { LayerMemory } from './contract.ts';

/** How many entries are remembered, over all forms. One of a layer has a few dozen bytes, one of an image some thousand. */
const MOST_LAYERS = 2000;
const MOST_IMAGES = 500;

/** `forms` names everything on which the compressed bytes depend: kind, level and compressor. Entries of other forms age out. */
export function layerMemory(directory: string, forms: string): LayerMemory {
  const layers = cacheFolder(join(directory, 'layers'), { most: MOST_LAYERS });
  const images = cacheFolder(join(directory, 'images'), { most: MOST_IMAGES });
  const nameOf = (digest: Digest) => digestHex(digestOf(Buffer.from(`${forms}\n${digest}`)));
  return {
    async layer(diffId) {
      const value = await layers.read(nameOf(diffId));
      const { digest, size } = isObject(value) ? value : {};
      return isDigest(digest) && typeof size === 'number' && Number.isSafeInteger(size) && size > 0
        ? { digest, size }
        : undefined;
    },
    rememberLayer: (diffId, form) => layers.write(nameOf(diffId), form),
    async image(id) {
      const value = await images.read(nameOf(id));
      const { mediaType, manifest, config, sum } = isObject(value) ? value : {};
      if (typeof mediaType !== 'string' || typeof manifest !== 'string' || typeof config !== 'string') return undefined;
      // A truncated file must not become another image.
      if (sum !== digestOf(Buffer.from(manifest + config))) return undefined;
      return { mediaType, manifest: Buffer.from(manifest, 'base64'), config: Buffer.from(config, 'base64') };
    },
    async rememberImage(id, image) {
      const [manifest, config] = [image.manifest, image.config].map((bytes) => Buffer.from(bytes).toString('base64'));
      const sum = digestOf(Buffer.from(`${manifest}${config}`));
      await images.write(nameOf(id), { mediaType: image.mediaType, manifest, config, sum });
    },
  };
}
