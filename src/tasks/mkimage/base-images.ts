// Resolves the images that a Dockerfile names: built here, in the store, in a Docker daemon, in the private registry, or in its own registry, whose answer is cached.
import type { BaseImage, Bases } from '../../build/contract.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import type { Platform } from '../../oci/platform.ts';
import { formatReference, fullReference, parseReference, type Reference } from '../../oci/reference.ts';
import type { Layer } from '../../rootfs/contract.ts';
import { buildSteps } from '../../storage/builds/build-steps.ts';
import { storedIndex } from '../../storage/builds/layer-indexes.ts';
import { type LooseBlobs, looseBlobs } from '../../storage/builds/loose-blobs.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import type { LayerSpool } from '../../transports/compressing/contract.ts';
import type { ReadableImage } from '../../transports/readable-image.ts';
import { type BaseEvent, callOptions, type Settings, withoutRepeats } from '../settings.ts';
import { compressingSpool } from '../transfer/layer-compression.ts';
import type { OpenedSource } from '../transfer/open-source.ts';
import { type RememberedBase, rememberedBases } from './remembered-bases.ts';

/** The opened sources stay open until it is disposed, because layers are read on demand. */
export interface OpenBases extends Bases, AsyncDisposable {}

export interface BaseOptions {
  /** Asks registries again, even if their answer is cached. */
  readonly pull?: boolean;
}

export function baseImages(store: EmbeddedStore, settings: Settings, { pull = false }: BaseOptions = {}): OpenBases {
  const sources = baseSources(store, withoutRepeats(settings));
  const { read } = sources;
  const blobs = looseBlobs(store.blobs);
  const remembered = rememberedBases(buildSteps(store.objects));

  const tell = (name: string, from: BaseEvent['from'], what: string) =>
    settings.onDebug?.({ topic: 'build', event: { type: 'base', name, from, what } });

  /** Uses the cached state of the image. Then its registry is asked again only for layers that are missing here. */
  async function fromRegistry(reference: Reference, platform: Platform, call: CallOptions): Promise<BaseImage> {
    const name = formatReference(fullReference(reference));
    const known = pull ? undefined : await remembered.find(name, platform);
    if (known) {
      tell(name, 'remembered', known.digest);
      return fromMemory(reference, known, platform);
    }
    const image = await read(`docker://${name}`, platform, call);
    tell(name, 'registry', image.raw.digest);
    const layers = image.layers.map(({ descriptor, diffId }) => ({ descriptor, ...(diffId && { diffId }) }));
    await remembered.keep(name, platform, { digest: image.raw.digest, config: image.configBytes, layers });
    return baseOf(name, image);
  }

  function fromMemory(reference: Reference, base: RememberedBase, platform: Platform): BaseImage {
    const { host, path } = fullReference(reference);
    const name = formatReference({ host, path, digest: base.digest });
    let image: Promise<ReadableImage> | undefined;
    const layers = base.layers.map(
      ({ descriptor, diffId }, at): Layer => ({
        descriptor,
        ...(diffId && { diffId }),
        index: storedIndex(store.objects, descriptor.digest),
        open: async (call = {}) => {
          image ??= read(`docker://${name}`, platform, call);
          const layer = (await image).layers[at];
          if (!layer) throw new ImagesError('MANIFEST_INVALID', `it has fewer layers than it had [${name}]`);
          return await layer.open(call);
        },
      }),
    );
    return baseOf(name, { configBytes: base.config, layers });
  }

  function baseOf(name: string, { configBytes, layers }: Pick<ReadableImage, 'configBytes' | 'layers'>): BaseImage {
    return { name, config: configBytes, layers: layers.map((layer) => keptLayer(layer, blobs)) };
  }

  return {
    image: async (reference, platform, call = callOptions(settings)) => {
      const name = parseReference(reference);
      try {
        const image = await read(formatReference(name), platform, call);
        tell(formatReference(name), 'local', image.label);
        return baseOf(formatReference(name), image);
      } catch (error) {
        if (!isImagesError(error, 'MANIFEST_UNKNOWN', 'PLATFORM_UNKNOWN', 'NAME_UNKNOWN')) throw error;
        return await fromRegistry(name, platform, call);
      }
    },
    [Symbol.asyncDispose]: () => sources[Symbol.asyncDispose](),
  };
}

type ReadBase = (text: string, platform: Platform, call: CallOptions) => Promise<ReadableImage>;

interface BaseSources extends AsyncDisposable {
  readonly read: ReadBase;
}

/** Sources stay open until this is disposed. */
function baseSources(store: EmbeddedStore, settings: Settings): BaseSources {
  const opened: OpenedSource[] = [];
  let spool: Promise<LayerSpool | undefined> | undefined;
  return {
    read: async (text, platform, call) => {
      // A daemon delivers uncompressed layers. Without compression they would stay uncompressed in the built image.
      spool ??= compressingSpool(settings);
      const compressing = await spool;
      // Loaded lazily: images FROM scratch do not need it.
      const [{ openSource }, { readImage }] = await Promise.all([
        import('../transfer/open-source.ts'),
        import('../../transports/readable-image.ts'),
      ]);
      const source = await openSource(text, settings, compressing ? { spool: compressing } : {});
      opened.push(source);
      const indexOf = (digest: Layer['descriptor']['digest']) => storedIndex(store.objects, digest);
      return await readImage(source.source, {
        ...call,
        platform,
        anySingle: true,
        machine: machinePlatform(),
        indexOf,
      });
    },
    [Symbol.asyncDispose]: async () => {
      for (const source of opened) await source[Symbol.asyncDispose]();
      await (await spool)?.[Symbol.asyncDispose]();
    },
  };
}

/** A layer that is copied into the store at its first use, once: the build needs it there. */
function keptLayer(layer: Layer, blobs: LooseBlobs): Layer {
  let fetched: Promise<void> | undefined;
  const fetch = (call: CallOptions): Promise<void> => {
    fetched ??= blobs.put(layer.descriptor, () => layer.open(call), call);
    return fetched;
  };
  return {
    ...layer,
    open: async (call = {}) => {
      await fetch(call);
      return await blobs.read(layer.descriptor, call);
    },
  };
}
