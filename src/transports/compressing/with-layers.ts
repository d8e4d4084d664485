// A manifest with its layers in another form, uncompressed or compressed. Config and everything else do not change. Pure.
import * as decode from '../../oci/decode.ts';
import type { Digest } from '../../oci/digest.ts';
import { type RawManifest, rawManifest } from '../../oci/manifest.ts';
import * as types from '../../oci/media-types.ts';
import type { LayerForm } from './contract.ts';

/** Annotations that are valid for one form of a layer only: the tables of contents of estargz and zstd:chunked. */
const OF_ONE_FORM =
  /^(?:containerd\.io\/snapshot\/stargz\/|io\.github\.containers\.zstd-chunked\.|io\.containers\.estargz\.)/;

/** Whether layers of this type are uncompressed tar archives, which can be compressed. */
export function isUncompressed(mediaType: string): boolean {
  return mediaType === types.OCI_LAYER || mediaType === types.DOCKER_LAYER;
}

/** `layers` begin with the base; `undefined` for a layer that does not change. The new media types are of the manifest's own kind, Docker's or OCI's. */
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
