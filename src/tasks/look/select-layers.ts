// A layer of an image by what a user calls it: its place, its digest or diffID, or their beginning.
import { digestHex } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { Layer } from '../../rootfs/contract.ts';

/** What a layer is called in listings: the hex of its diffID, the same wherever the image is; else that of its digest. */
export function layerId({ diffId, descriptor }: Layer): string {
  return digestHex(diffId ?? descriptor.digest);
}

/** The place of a layer, counted from the base, 0 first. `name` counts from 1. Errors: USAGE for none, and for several. */
export function selectLayer(layers: readonly Layer[], name: string): number {
  if (/^[1-9]\d{0,2}$/.test(name) && Number(name) <= layers.length) return Number(name) - 1;
  const wanted = name.toLowerCase().replace(/^sha(?:256|512):/, '');
  const found = layers.flatMap((layer, at) => (wanted !== '' && isCalled(layer, wanted) ? [at] : []));
  // The same layer may be there more than once.
  const ids = new Set(found.map((at) => layerId(layers[at] as Layer)));
  if (ids.size === 1) return found[0] as number;
  const what = ids.size === 0 ? 'no such layer' : `${ids.size} layers begin like this`;
  throw new ImagesError('USAGE', `${what} [${name}]`, {
    hint: `Name it by its place (1 to ${layers.length}), its ID or digest, or enough of them: \`images docker_ls_layers IMAGE\` shows them.`,
  });
}

function isCalled({ diffId, descriptor }: Layer, wanted: string): boolean {
  return [diffId, descriptor.digest].some((digest) => digest !== undefined && digestHex(digest).startsWith(wanted));
}
