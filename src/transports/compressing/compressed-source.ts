// Wraps a source with uncompressed layers as one with compressed layers, for destinations that serve blobs to others. The config does not change.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { Bytes, CallOptions } from '../../io/streams/bytes.ts';
import { tapped, verified } from '../../io/streams/verify.ts';
import { hasFileSystem } from '../../oci/agreement.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { decodeManifest, type ImageManifest, type RawManifest } from '../../oci/manifest.ts';
import { FORWARD, forwarding } from '../../registry/policies/forwarding.ts';
import type { ImageSource } from '../contract.ts';
import { readConfig } from '../readable-image.ts';
import type { LayerForm, LayerSpool } from './contract.ts';
import { isUncompressed, withLayers } from './with-layers.ts';

/** How many layers of an image are requested at a time. The spool limits how many are compressed at a time. */
const AT_A_TIME = 4;

/**
 * Requesting a manifest compresses the layers whose compressed form is not remembered; the others only when they are requested. Indexes and their children
 * pass unchanged, because their digests would change. Disposing closes the source, but not the spool.
 */
export function compressedSource(source: ImageSource, spool: LayerSpool): ImageSource {
  /** Uncompressed layers, by the digest of the compressed form. */
  const plain = new Map<Digest, Descriptor>();
  const manifests = new Map<Digest, RawManifest>();
  let root: Promise<RawManifest> | undefined;

  /** Compressing takes long, and reading from files does not stop on an abort by itself. */
  const open = async (layer: Descriptor, call?: CallOptions): Promise<Bytes> =>
    tapped(await source.blob(layer, 0, call), () => call?.signal?.throwIfAborted());

  /** The config is checked before any layer is compressed: this takes long, and layers may be sent at once, which would be in vain for an image that is refused. */
  const agreeing = async (manifest: ImageManifest, call?: CallOptions): Promise<void> => {
    if (hasFileSystem(manifest)) await readConfig(source, manifest, call);
  };

  const formsOf = async (manifest: ImageManifest, call?: CallOptions): Promise<readonly (LayerForm | undefined)[]> => {
    let checking: Promise<void> | undefined;
    const formOf = async (layer: Descriptor): Promise<LayerForm | undefined> => {
      if (!isUncompressed(layer.mediaType)) return undefined;
      let form = await spool.known(layer.digest);
      if (!form) {
        checking ??= agreeing(manifest, call);
        await checking;
        form = await spool.layer(layer, () => open(layer, call));
      }
      plain.set(form.digest, layer);
      return { digest: form.digest, size: form.size, compression: spool.kind };
    };
    return await createLimiter(AT_A_TIME).map(manifest.layers, formOf, call?.signal);
  };

  const convert = async (raw: RawManifest, call?: CallOptions): Promise<RawManifest> => {
    const manifest = decodeManifest(raw);
    if (manifest.kind === 'index') return raw;
    const forms = await formsOf(manifest, call);
    const converted = forms.some((form) => form !== undefined) ? withLayers(raw, forms) : raw;
    manifests.set(converted.digest, converted);
    return converted;
  };

  return forwarding<ImageSource>(source, {
    label: FORWARD,
    host: FORWARD,
    // The blobs there are not compressed, so they cannot be read directly.
    unverified: undefined,
    referrers: FORWARD,
    statTag: FORWARD,
    [Symbol.asyncDispose]: FORWARD,
    root(call) {
      root ??= source.root(call).then((raw) => convert(raw, call));
      root.catch(() => {
        root = undefined;
      });
      return root;
    },
    async manifest(descriptor, call) {
      return manifests.get(descriptor.digest) ?? (await source.manifest(descriptor, call));
    },
    async blob(descriptor, from, call) {
      const layer = plain.get(descriptor.digest);
      if (!layer) return await source.blob(descriptor, from, call);
      const spooled = await spool.layer(layer, () => open(layer, call));
      if (spooled.digest !== descriptor.digest) throw changed(descriptor, spooled.digest);
      const body = await spooled.open(from);
      return from === 0 ? verified(body, descriptor) : body;
    },
  });
}

/** The remembered digest came from another compressor. It has been corrected since. */
function changed({ digest }: Descriptor, now: Digest): ImagesError {
  return new ImagesError('DIGEST_INVALID', `a layer is compressed to ${now} now, expected ${digest}`, {
    hint: 'Run it again.',
  });
}
