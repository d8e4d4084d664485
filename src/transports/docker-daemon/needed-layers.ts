// Which layers of an image a Docker daemon has: they are neither fetched nor sent.
import type { CallOptions } from '../../io/streams/bytes.ts';
import { decodeConfig } from '../../oci/config.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatReference, type Reference } from '../../oci/reference.ts';
import { chainIds } from '../chain-ids.ts';
import type { ExpectedImage } from '../contract.ts';
import type { DockerDaemon } from './daemon.ts';
import { type ChainId, knownLayers } from './known-layers.ts';

export interface NeededLayers {
  /** Compares the image with what the daemon has. Without this, all of its layers are needed. Errors: the daemon's. */
  expect(name: Reference, image: ExpectedImage, call?: CallOptions): Promise<void>;
  /** Whether the daemon has this layer of this image. In another image the same layer may be on another base, and is then needed. */
  has(name: Reference, layer: Digest): boolean;
  /** Whether the daemon has it in any of the images. */
  hasSomewhere(layer: Digest): boolean;
}

export function neededLayers(daemon: DockerDaemon): NeededLayers {
  /** For each image name, the layers that the daemon has. */
  const unneeded = new Map<string, ReadonlySet<Digest>>();
  let asked: Promise<ReadonlySet<ChainId>> | undefined;
  return {
    async expect(name, { manifest, config }, call) {
      asked ??= knownLayers(daemon, call);
      const known = await asked;
      if (known.size === 0) return;
      const chain = chainIds(decodeConfig(await config()).diffIds);
      if (chain.length === manifest.layers.length) {
        unneeded.set(formatReference(name), layersWithin(known, manifest.layers, chain));
      }
    },
    has: (name, layer) => unneeded.get(formatReference(name))?.has(layer) ?? false,
    hasSomewhere: (layer) => [...unneeded.values()].some((layers) => layers.has(layer)),
  };
}

/** A layer that is in the image several times is known only if each time it is. */
function layersWithin(
  known: ReadonlySet<ChainId>,
  layers: readonly Descriptor[],
  chain: readonly ChainId[],
): ReadonlySet<Digest> {
  const lacking = new Set(layers.filter((_, at) => !known.has(chain[at] as ChainId)).map(({ digest }) => digest));
  return new Set(layers.map(({ digest }) => digest).filter((digest) => !lacking.has(digest)));
}
