import { describe, expect, it } from 'vitest';
import { agreeingConfig, hasFileSystem, layerDiffIds, otherThanDiffIds } from './agreement.ts';
import { digestOf } from './digest.ts';
import type { ImageManifest } from './manifest.ts';
import {
  DOCKER_CONFIG,
  DOCKER_LAYER_GZIP,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_EMPTY,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
} from './media-types.ts';

const NYDUS = 'application/vnd.oci.image.layer.nydus.blob.v1';
const IN_TOTO = 'application/vnd.in-toto+json';
const HELM = 'application/vnd.cncf.helm.config.v1+json';

const diffId = (at: number) => digestOf(Buffer.from(`diff ${at}`));
const blob = (mediaType: string, at: number) => ({ mediaType, digest: digestOf(Buffer.from(`${at}`)), size: 1 });

function manifestOf(layers: readonly string[], config = OCI_CONFIG, mediaType = OCI_MANIFEST): ImageManifest {
  return { kind: 'image', mediaType, config: blob(config, -1), layers: layers.map(blob) };
}

function configOf(diffIds: unknown, more: object = {}): Uint8Array {
  return Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { diff_ids: diffIds }, ...more }));
}

describe('manifest and config of one image', () => {
  it.each([
    ['a layer more', [OCI_LAYER_GZIP, OCI_LAYER_GZIP], 1],
    ['a layer less', [OCI_LAYER_GZIP], 2],
    ['no layers', [], 2],
    ['a file that is no layer, and a layer too many', [OCI_LAYER_GZIP, IN_TOTO, OCI_LAYER_GZIP], 1],
  ])('disagree if the manifest has %s', (_, layers, diffIds) => {
    const config = configOf(Array.from({ length: diffIds }, (__, at) => diffId(at)));
    expect(() => agreeingConfig(manifestOf(layers), config)).toThrow(/disagree: \d diffIDs? for \d layers?$/);
  });

  it.each([
    ['each layer', [OCI_LAYER_GZIP, OCI_LAYER_GZIP], 2],
    ['nobody, as images have it that nobody runs', [OCI_LAYER_GZIP], 0],
    ['no layers', [], 0],
    ['nydus and estargz layers', [NYDUS, NYDUS, OCI_LAYER_GZIP], 3],
    ['the layers of files alone', [OCI_LAYER_GZIP, 'application/vnd.wasm.content.layer.v1+wasm'], 1],
  ])('agree with diffIDs of %s', (_, layers, diffIds) => {
    const config = configOf(Array.from({ length: diffIds }, (__, at) => diffId(at)));
    expect(agreeingConfig(manifestOf(layers), config).diffIds).toHaveLength(diffIds);
  });

  it('disagree if one blob has two diffIDs', () => {
    const manifest = manifestOf([OCI_LAYER_GZIP, OCI_LAYER_GZIP]);
    const layers = manifest.layers.map((layer) => ({ ...layer, digest: manifest.config.digest }));
    const twice = { ...manifest, layers };
    expect(() => agreeingConfig(twice, configOf([diffId(0), diffId(1)]))).toThrow(
      /two diffIDs for one layer \[sha256:/,
    );
    expect(agreeingConfig(twice, configOf([diffId(0), diffId(0)])).diffIds).toHaveLength(2);
  });

  it('disagree if an uncompressed layer has another digest than its diffID', () => {
    const manifest = manifestOf([OCI_LAYER, OCI_LAYER, OCI_LAYER_GZIP]);
    const [first, second] = manifest.layers.map(({ digest }) => digest);
    const others = (ids: readonly unknown[]) => otherThanDiffIds(manifest, agreeingConfig(manifest, configOf(ids)));
    expect(others([first, second, diffId(2)])).toEqual([]);
    expect(others([second, first, diffId(2)])).toEqual([first, second]);
    expect(others([])).toEqual([]);
  });

  it('agree even if the history names other layers: no runtime reads it', () => {
    const config = configOf([diffId(0)], { history: [{}, {}, { empty_layer: true }] });
    expect(agreeingConfig(manifestOf([OCI_LAYER_GZIP]), config).history).toHaveLength(3);
  });

  it('are refused with a diffID that is not a digest: the next one would take its place', () => {
    const config = configOf(['garbage', diffId(1)]);
    for (const layers of [1, 2]) {
      const manifest = manifestOf(Array.from({ length: layers }, () => OCI_LAYER_GZIP));
      expect(() => agreeingConfig(manifest, config)).toThrow('diff_ids[0] is not a digest [garbage]');
    }
    expect(() => agreeingConfig(manifestOf([OCI_LAYER_GZIP]), Buffer.from('<html>'))).toThrow('config is not JSON');
  });

  it('are read as runtimes read them: a text that is null is empty, and so is a list', () => {
    const config = configOf([diffId(0)], {
      config: { Labels: { a: null, b: 'c' }, Env: [null, 'X=1'] },
      history: null,
    });
    const { labels, env, history } = agreeingConfig(manifestOf([OCI_LAYER_GZIP]), config);
    expect({ labels, env, history }).toEqual({ labels: { a: '', b: 'c' }, env: ['', 'X=1'], history: [] });
    const other = configOf([diffId(0)], { config: { Labels: { a: 1 } } });
    expect(() => agreeingConfig(manifestOf([OCI_LAYER_GZIP]), other)).toThrow('config.config.Labels.a is not a string');
  });

  it('give each layer of files its diffID', () => {
    const manifest = manifestOf([IN_TOTO, OCI_LAYER_GZIP]);
    expect(layerDiffIds(manifest, agreeingConfig(manifest, configOf([diffId(0)])))).toEqual([undefined, diffId(0)]);
    const all = agreeingConfig(manifest, configOf([diffId(0), diffId(1)]));
    expect(layerDiffIds(manifest, all)).toEqual([diffId(0), diffId(1)]);
  });
});

describe('an image with a file system', () => {
  it.each([
    ['an image', manifestOf([OCI_LAYER_GZIP]), true],
    ['an image of Docker', manifestOf([DOCKER_LAYER_GZIP], DOCKER_CONFIG, DOCKER_MANIFEST), true],
    [
      'one that an old Docker pushed',
      manifestOf([DOCKER_LAYER_GZIP], 'application/octet-stream', DOCKER_MANIFEST),
      true,
    ],
    ['one without layers', manifestOf([]), true],
    ['a chart', manifestOf(['application/vnd.cncf.helm.chart.content.v1.tar+gzip'], HELM), false],
    ['a chart that calls itself a layer', manifestOf([OCI_LAYER_GZIP], HELM), false],
    ['an attestation', manifestOf([IN_TOTO]), false],
    ['an empty config', manifestOf([OCI_LAYER_GZIP], OCI_EMPTY), false],
    ['a plugin', manifestOf([DOCKER_LAYER_GZIP], 'application/vnd.docker.plugin.v1+json', DOCKER_MANIFEST), false],
  ])('is recognised by config and layers: %s', (_, manifest, expected) => {
    expect(hasFileSystem(manifest)).toBe(expected);
  });
});
