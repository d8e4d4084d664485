// Writes the overlay form of a layer to an output that can take it back: once in the plain way, and if the layer does not allow that, again with its index.
import type { RewindableOutput } from '../io/files/rewindable-output.ts';
import type { CallOptions } from '../io/streams/bytes.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import type { Layer, LayerIndex } from '../rootfs/contract.ts';
import { indexLayer } from '../rootfs/layer-index.ts';
import { NotPlain, type OverlayFacts } from '../rootfs/overlay-form.ts';
import { settled } from '../rootfs/read-to-end.ts';

/** `attempt` writes; the output was marked before. Errors: DIGEST_INVALID (the archive does not match its diffID), those of `attempt`. */
export async function writeForm<Facts extends OverlayFacts>(
  layer: Layer,
  output: RewindableOutput,
  options: CallOptions,
  attempt: (index?: LayerIndex) => Promise<Facts>,
): Promise<Facts> {
  let facts: Facts;
  try {
    facts = await attempt();
  } catch (error) {
    if (!(error instanceof NotPlain)) throw await settled(layer, error, options);
    await output.rewind();
    facts = await attempt(await indexLayer(layer, options));
  }
  const { diffId } = layer;
  if (diffId !== undefined && facts.diffId !== diffId) {
    await output.rewind();
    const error = new ImagesError(
      'DIGEST_INVALID',
      `the diffID of layer ${layer.descriptor.digest} is ${facts.diffId}, the config says ${diffId}`,
      { hint: 'The image is damaged, or was made by a broken tool: `images check` tells more.' },
    );
    throw await settled(layer, error, options);
  }
  return facts;
}

/** Adds the image's name to an error of a layer, because the image has to be repaired or left out. */
export function inImage(image: string, error: unknown): unknown {
  if (!isImagesError(error, 'TAR_INVALID', 'COMPRESSION_INVALID', 'DIGEST_INVALID')) return error;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new ImagesError(error.code, `${error.message} [${image}]`, { ...hint, cause: error });
}
