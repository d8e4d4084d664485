// Decodes the records of an overlay store: images.json, layers.json and images' big data (containers/storage, images.go and layers.go).
import * as decode from '../../oci/decode.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { StoreFiles } from './store-files.ts';

export interface StoredImage {
  /** 64 hexadecimal digits: the digest of the config. */
  readonly id: string;
  readonly digest?: string;
  /** Full references: `docker.io/library/alpine:3.20`. */
  readonly names: readonly string[];
  /** The id of the top layer; absent if the image has no layers. */
  readonly layer?: string;
  /** Digests of the image's big data, by name of the file. */
  readonly data: Readonly<Record<string, string>>;
}

export interface StoredLayer {
  readonly id: string;
  readonly parent?: string;
  /** The digest of the uncompressed archive; absent if nobody has computed it. */
  readonly diffId?: Digest;
  readonly size?: number;
}

/** Errors: MANIFEST_INVALID (damaged), NO_ACCESS. */
export async function readImages(files: StoreFiles): Promise<readonly StoredImage[]> {
  return (await readList(files, 'overlay-images/images.json')).map(decodeImage);
}

/** Layers by id. Errors: MANIFEST_INVALID (damaged), NO_ACCESS. */
export async function readLayers(files: StoreFiles): Promise<ReadonlyMap<string, StoredLayer>> {
  const layers = (await readList(files, 'overlay-layers/layers.json')).map(decodeLayer);
  return new Map(layers.map((layer) => [layer.id, layer]));
}

/** The layers from the base to the image's top layer. Errors: MANIFEST_INVALID. */
export function layersOf(image: StoredImage, layers: ReadonlyMap<string, StoredLayer>): readonly StoredLayer[] {
  const chain: StoredLayer[] = [];
  for (let id = image.layer; id !== undefined; ) {
    const layer: StoredLayer | undefined = layers.get(id);
    if (!layer || chain.length > layers.size) {
      throw new ImagesError('MANIFEST_INVALID', `a layer of the image is not in the store [${id}]`, {
        hint: 'Additional image stores are not read: name the store that has the image itself, or fetch it again there.',
      });
    }
    chain.unshift(layer);
    id = layer.parent;
  }
  return chain;
}

/** Reads a file that the store keeps for an image (manifest, config). Returns `undefined` if there is none. Errors: NO_ACCESS. */
export async function readBigData(
  files: StoreFiles,
  image: StoredImage,
  name: string,
): Promise<Uint8Array | undefined> {
  return await files.read(`overlay-images/${image.id}/${bigDataFile(name)}`);
}

/** The file name of big data: names of lower-case letters, digits and dots are unchanged, all others in base64. */
export function bigDataFile(name: string): string {
  return /^[a-z0-9.]+$/.test(name) ? name : `=${Buffer.from(name).toString('base64')}`;
}

async function readList(files: StoreFiles, path: string): Promise<readonly unknown[]> {
  const bytes = await files.read(path);
  if (!bytes || bytes.length === 0) return [];
  return decode.array(decode.parseJson(bytes, `${files.label}/${path}`), path);
}

function decodeImage(value: unknown): StoredImage {
  const fields = decode.object(value, 'image');
  const digest = decode.optional(fields.digest, 'image.digest', decode.string);
  const layer = decode.optional(fields.layer, 'image.layer', decode.string);
  return {
    id: hexId(fields.id, 'image.id'),
    ...(digest && { digest }),
    names: decode.optional(fields.names, 'image.names', decode.strings) ?? [],
    ...(layer && { layer }),
    data: decode.optional(fields['big-data-digests'], 'image.big-data-digests', decode.stringMap) ?? {},
  };
}

function decodeLayer(value: unknown): StoredLayer {
  const fields = decode.object(value, 'layer');
  const parent = decode.optional(fields.parent, 'layer.parent', decode.string);
  const diffId = decode.optional(fields['diff-digest'], 'layer.diff-digest', decode.string);
  const size = decode.optional(fields['diff-size'], 'layer.diff-size', decode.size);
  return {
    id: hexId(fields.id, 'layer.id'),
    ...(parent && { parent }),
    ...(isDigest(diffId) && { diffId }),
    ...(size !== undefined && { size }),
  };
}

/** Checks an id: it becomes a part of paths. */
function hexId(value: unknown, path: string): string {
  const id = decode.string(value, path);
  if (!/^[0-9a-f]{64}$/.test(id)) throw new ImagesError('MANIFEST_INVALID', `${path} is no id [${id}]`);
  return id;
}
