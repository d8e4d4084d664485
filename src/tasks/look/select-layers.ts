// Selects a layer of an image by its number, or by its digest or diffID, which can be abbreviated.
import { digestHex } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { Layer } from '../../rootfs/contract.ts';

/** The ID of a layer in listings: the hex digits of its diffID, which is the same in all transports; if it has none, those of its digest. */
export function layerId({ diffId, descriptor }: Layer): string {
  return digestHex(diffId ?? descriptor.digest);
}

/** The index of a layer in `layers`. A number in `name` counts from 1. Errors: USAGE if no layer or several match. */
export function selectLayer(layers: readonly Layer[], name: string): number {
  if (/^[1-9]\d{0,2}$/.test(name) && Number(name) <= layers.length) return Number(name) - 1;
  const wanted = name.toLowerCase().replace(/^sha(?:256|512):/, '');
  const found = layers.flatMap((layer, at) => (wanted !== '' && isCalled(layer, wanted) ? [at] : []));
  // An image may contain the same layer more than once.
  const ids = new Set(found.map((at) => layerId(layers[at] as Layer)));
  if (ids.size === 1) return found[0] as number;
  const what = ids.size === 0 ? 'no such layer' : `${ids.size} layers begin like this`;
  throw new ImagesError('USAGE', `${what} [${name}]`, {
    hint: `Name it by its number (1 to ${layers.length}), its ID or digest, or enough of them: \`images docker_ls_layers IMAGE\` shows them.`,
  });
}

function isCalled({ diffId, descriptor }: Layer, wanted: string): boolean {
  return [diffId, descriptor.digest].some((digest) => digest !== undefined && digestHex(digest).startsWith(wanted));
}
