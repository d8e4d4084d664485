// `docker_ls_layers`: the members of each layer, in the order of its archive.
import { checkArguments } from '../../oci/arguments.ts';
import type { Digest } from '../../oci/digest.ts';
import { indexLayers } from '../../rootfs/layer-index.ts';
import { OPEN_IMAGE, OPTIONS } from '../arguments.ts';
import { callOptions, type TaskCall } from '../settings.ts';
import type { OpenedImage } from '../transfer/tree-source.ts';
import { layerId } from './select-layers.ts';

export interface ListedLayer {
  /** See `layerId`. */
  readonly id: string;
  readonly digest: Digest;
  /** Bytes of the layer as it is stored. */
  readonly size: number;
  /** Names as the archive has them, also whiteouts. */
  readonly names: readonly string[];
}

/** The base first. Errors: TAR_INVALID, COMPRESSION_INVALID, those of the location. */
export async function listLayers(
  image: Pick<OpenedImage, 'layers'>,
  call: TaskCall = {},
): Promise<readonly ListedLayer[]> {
  checkArguments({ image: [image, OPEN_IMAGE], call: [call, OPTIONS] });
  const { layers } = image;
  const indexes = await indexLayers(layers, callOptions(call));
  return layers.map((layer, at) => ({
    id: layerId(layer),
    digest: layer.descriptor.digest,
    size: layer.descriptor.size,
    names: (indexes[at]?.entries ?? []).map(({ name }) => name),
  }));
}
