// `docker_save_layers`: the files of some layers of an image as one tar archive.

import type { Bytes } from '../../io/streams/bytes.ts';
import { checkArguments } from '../../oci/arguments.ts';
import type { Layer } from '../../rootfs/contract.ts';
import { joinLayers } from '../../rootfs/layer-archive.ts';
import { indexLayer } from '../../rootfs/layer-index.ts';
import { OPEN_IMAGE, OPTIONS, TEXTS } from '../arguments.ts';
import { callOptions, type TaskCall } from '../settings.ts';
import type { OpenedImage } from '../transfer/tree-source.ts';
import { selectLayer } from './select-layers.ts';

/**
 * The layers in the order of `names` (see `selectLayer`), without duplicates. The image must stay open until the archive is read. Errors: USAGE if a name
 * matches no layer; TAR_INVALID, COMPRESSION_INVALID, those of the transport.
 */
export async function exportLayers(
  image: Pick<OpenedImage, 'layers'>,
  names: readonly string[],
  call: TaskCall = {},
): Promise<Bytes> {
  checkArguments({ image: [image, OPEN_IMAGE], names: [names, TEXTS], call: [call, OPTIONS] });
  const { layers } = image;
  const wanted = new Set(names.map((name) => layers[selectLayer(layers, name)] as Layer));
  const indexed = await Promise.all(
    [...wanted].map(async (layer) => ({ layer, index: await indexLayer(layer, callOptions(call)) })),
  );
  return joinLayers(indexed, callOptions(call));
}
