// The images that a Dockerfile names: one that was built here, one in the store, in a Docker daemon, in the private registry, in its own registry.
import type { BaseImage, Bases } from '../build/contract.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { isImagesError } from '../oci/errors.ts';
import type { Platform } from '../oci/platform.ts';
import { formatReference, fullReference, parseReference } from '../oci/reference.ts';
import type { CallOptions } from '../registry/contract.ts';
import type { Layer } from '../rootfs/contract.ts';
import type { EmbeddedStore } from '../storage/embedded-store.ts';
import { storedIndex } from '../storage/layer-indexes.ts';
import { looseBlobs } from '../storage/loose-blobs.ts';
import type { LayerSpool } from '../transports/layer-spool.ts';
import { compressingSpool } from './layer-compression.ts';
import { machinePlatform } from './machine-platform.ts';
import type { OpenedSource } from './open-source.ts';
import { callOptions, type Settings } from './settings.ts';

/** What was opened stays open until it is disposed: layers are read when they are needed. */
export interface OpenBases extends Bases, AsyncDisposable {}

export function baseImages(store: EmbeddedStore, settings: Settings): OpenBases {
  const opened: OpenedSource[] = [];
  let spool: Promise<LayerSpool | undefined> | undefined;
  const blobs = looseBlobs(store.objects);

  async function read(text: string, platform: Platform, call: CallOptions): Promise<BaseImage> {
    // A daemon hands out layers that are not compressed; an image that is built on them would stay so.
    spool ??= compressingSpool(settings);
    const compressing = await spool;
    // Images FROM scratch need none of it.
    const [{ openSource }, { readImage }] = await Promise.all([
      import('./open-source.ts'),
      import('../transports/readable-image.ts'),
    ]);
    const source = await openSource(text, settings, compressing ? { spool: compressing } : {});
    opened.push(source);
    const indexOf = (digest: Descriptor['digest']) => storedIndex(store.objects, digest);
    const image = await readImage(source.source, { ...call, platform, machine: machinePlatform(), indexOf });
    return { name: text, config: image.configBytes, layers: image.layers.map((layer) => kept(layer)) };
  }

  /** What is built on a layer needs it in the store: it is fetched once, when it is first needed. */
  function kept(layer: Layer): Layer {
    let fetched: Promise<void> | undefined;
    const fetch = (call: CallOptions): Promise<void> => {
      fetched ??= blobs.put(layer.descriptor, () => layer.open(call), call);
      return fetched;
    };
    return {
      ...layer,
      open: async (call = {}) => {
        await fetch(call);
        return await blobs.read(layer.descriptor.digest);
      },
    };
  }

  return {
    image: async (reference, platform, call = callOptions(settings)) => {
      const name = parseReference(reference);
      try {
        return await read(formatReference(name), platform, call);
      } catch (error) {
        if (!isImagesError(error, 'MANIFEST_UNKNOWN', 'PLATFORM_UNKNOWN', 'NAME_UNKNOWN')) throw error;
        return await read(`docker://${formatReference(fullReference(name))}`, platform, call);
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const source of opened) await source[Symbol.asyncDispose]();
      await (await spool)?.[Symbol.asyncDispose]();
    },
  };
}
