import { expect, it } from 'vitest';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { OCI_LAYER_GZIP } from '../../oci/media-types.ts';
import type { Layer } from '../../rootfs/contract.ts';
import { layerId, selectLayer } from './select-layers.ts';

const hex = (text: string) => digestOf(Buffer.from(text)).slice('sha256:'.length);

function layer(digest: string, diffId?: string): Layer {
  return {
    descriptor: { mediaType: OCI_LAYER_GZIP, digest: `sha256:${digest}` as Digest, size: 1 },
    ...(diffId && { diffId: `sha256:${diffId}` as Digest }),
    open: () => Promise.reject(new Error('nobody reads it')),
  };
}

const a = layer(hex('a'), hex('A'));
const b = layer(hex('b'));
const layers = [a, b, a];

it('a layer’s ID is its diffID, or its digest if the config has none', () => {
  expect([layerId(a), layerId(b)]).toEqual([hex('A'), hex('b')]);
});

it.each([
  ['its number, counted from 1', '2', 1],
  ['its diffID', hex('A'), 0],
  ['its digest, with the algorithm', `sha256:${hex('b')}`, 1],
  ['the beginning of one, in capitals too', hex('b').slice(0, 12).toUpperCase(), 1],
  ['an ID that several layers share: the first', hex('a').slice(0, 12), 0],
])('is selected by %s', (_, name, index) => {
  expect(selectLayer(layers, name)).toBe(index);
});

it.each([
  ['a number that no layer has', '4'],
  ['no beginning of any', 'zz'],
  ['nothing', ''],
  ['an algorithm alone', 'sha256:'],
])('%s selects no layer', (_, name) => {
  expect(() => selectLayer(layers, name)).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

it('the beginning of several layers’ IDs is reported as ambiguous', () => {
  const twins = ['1', '2'].map((end) => layer(`${'ab'.repeat(31)}c${end}`));
  expect(() => selectLayer(twins, 'abab')).toThrow('2 layers begin like this [abab]');
});
