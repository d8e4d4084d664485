// A manifest with the same layers in another form: uncompressed, or compressed. Config and everything else stay as they are. Pure.
import * as decode from '../../oci/decode.ts';
import type { Digest } from '../../oci/digest.ts';
import { type RawManifest, rawManifest } from '../../oci/manifest.ts';
import * as types from '../../oci/media-types.ts';
import type { LayerForm } from './contract.ts';

/** What is said of one form of a layer and is wrong of another: estargz's and zstd:chunked's tables of contents. */
const OF_ONE_FORM =
  /^(?:containerd\.io\/snapshot\/stargz\/|io\.github\.containers\.zstd-chunked\.|io\.containers\.estargz\.)/;

/** Whether layers of this type are tar archives as they are: what can be compressed. */
export function isUncompressed(mediaType: string): boolean {
  return mediaType === types.OCI_LAYER || mediaType === types.DOCKER_LAYER;
}

/** `layers` from the base up; `undefined` for one that stays as it is. Media types are of the manifest's own kind, Docker's or OCI's. */
export function withLayers(raw: RawManifest, layers: readonly (LayerForm | undefined)[]): RawManifest {
  const fields = decode.object(decode.parseJson(raw.bytes, 'manifest'), 'manifest');
  const listed = decode.array(fields.layers ?? [], 'manifest.layers');
  const mediaTypes = raw.mediaType === types.DOCKER_MANIFEST ? types.DOCKER_LAYERS : types.OCI_LAYERS;
  const changed = layers.map((layer, at) => {
    const old = decode.isObject(listed[at]) ? listed[at] : {};
    if (!layer) return old;
    const { digest, size, compression } = layer;
    return { mediaType: mediaTypes[compression], size, digest, ...annotationsOf(old, digest) };
  });
  return rawManifest(Buffer.from(JSON.stringify({ ...fields, layers: changed })), raw.mediaType);
}

function annotationsOf(layer: decode.Json, digest: Digest): { readonly annotations?: decode.Json } {
  if (!decode.isObject(layer.annotations)) return {};
  if (layer.digest === digest) return { annotations: layer.annotations };
  const kept = Object.entries(layer.annotations).filter(([key]) => !OF_ONE_FORM.test(key));
  return kept.length > 0 ? { annotations: Object.fromEntries(kept) } : {};
}
