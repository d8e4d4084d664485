import { describe, expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { decodeManifest, rawManifest } from '../../oci/manifest.ts';
import * as types from '../../oci/media-types.ts';
import { isUncompressed, withLayers } from './with-layers.ts';

const digest = (text: string) => digestOf(Buffer.from(text));
const layer = (text: string, mediaType: string, annotations?: object) => ({
  mediaType,
  digest: digest(text),
  size: text.length,
  ...(annotations && { annotations }),
});

function manifestOf(mediaType: string, layers: readonly object[]) {
  const config = { mediaType: types.OCI_CONFIG, digest: digest('config'), size: 6 };
  const fields = { schemaVersion: 2, mediaType, config, layers, annotations: { kept: 'yes' } };
  return rawManifest(Buffer.from(JSON.stringify(fields)));
}

describe('a manifest with its layers in another form', () => {
  it.each([
    [types.OCI_MANIFEST, [types.OCI_LAYER, types.OCI_LAYER_GZIP, types.OCI_LAYER_ZSTD]],
    [types.DOCKER_MANIFEST, [types.DOCKER_LAYER, types.DOCKER_LAYER_GZIP, types.DOCKER_LAYER_ZSTD]],
  ])('stays of its kind: %s', (mediaType, layerTypes) => {
    const raw = manifestOf(mediaType, [layer('a', 'x'), layer('b', 'x'), layer('c', 'x')]);
    const changed = withLayers(raw, [
      { digest: digest('plain'), size: 1, compression: 'none' },
      { digest: digest('gzip'), size: 2, compression: 'gzip' },
      { digest: digest('zstd'), size: 3, compression: 'zstd' },
    ]);
    const [before, after] = [decodeManifest(raw), decodeManifest(changed)];
    expect(after).toMatchObject({ kind: 'image', mediaType, annotations: { kept: 'yes' } });
    if (before.kind !== 'image' || after.kind !== 'image') throw new Error('no image');
    expect(after.config).toEqual(before.config);
    expect(after.layers.map((one) => one.mediaType)).toEqual(layerTypes);
    expect(after.layers.map((one) => one.size)).toEqual([1, 2, 3]);
  });

  it('keeps other layers, and drops annotations that are true of one form only', () => {
    const foreign = layer('f', 'application/vnd.oci.image.layer.nondistributable.v1.tar', { url: 'x' });
    const chunked = { 'io.github.containers.zstd-chunked.manifest-checksum': 'y', title: 'base' };
    const raw = manifestOf(types.OCI_MANIFEST, [foreign, layer('b', types.OCI_LAYER_ZSTD, chunked)]);
    const changed = decodeManifest(
      withLayers(raw, [undefined, { digest: digest('b2'), size: 2, compression: 'none' }]),
    );
    if (changed.kind !== 'image') throw new Error('no image');
    expect(changed.layers[0]).toEqual(foreign);
    expect(changed.layers[1]?.annotations).toEqual({ title: 'base' });
  });

  it('names by its media types which layers are uncompressed', () => {
    expect([types.OCI_LAYER, types.DOCKER_LAYER].every(isUncompressed)).toBe(true);
    expect([types.OCI_LAYER_GZIP, types.DOCKER_LAYER_GZIP, types.OCI_CONFIG, ''].some(isUncompressed)).toBe(false);
  });
});
