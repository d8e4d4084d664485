// A source that requests each manifest and config once, for all its readers: an image that is inspected first and then copied is the same one, and costs one
// request.
import { askOnce } from '../io/concurrency/ask-once.ts';
import { oneChunk } from '../io/streams/one-chunk.ts';
import { readSmallBlob } from '../io/streams/small-blob.ts';
import type { Digest } from '../oci/digest.ts';
import { decodeManifest, MAX_MANIFEST_SIZE, type RawManifest } from '../oci/manifest.ts';
import { FORWARD, forwarding } from '../registry/policies/forwarding.ts';
import type { ImageSource } from './contract.ts';

/** Shared by all sources of a run: content with the same digest is equal, whatever its source. */
export interface SourceMemory {
  readonly manifests: Map<Digest, Promise<RawManifest>>;
  readonly configs: Map<Digest, Promise<Uint8Array>>;
}

export function sourceMemory(): SourceMemory {
  return { manifests: new Map(), configs: new Map() };
}

/** The source stays the caller's. */
export function rememberingSource(source: ImageSource, { manifests, configs }: SourceMemory): ImageSource {
  const ofImages = new Set<Digest>();
  let rootRead: Promise<RawManifest> | undefined;
  const seen = (raw: RawManifest): RawManifest => {
    const manifest = decodeManifest(raw);
    if (manifest.kind === 'image' && manifest.config.size <= MAX_MANIFEST_SIZE) ofImages.add(manifest.config.digest);
    return raw;
  };
  return forwarding<ImageSource>(source, {
    label: FORWARD,
    host: FORWARD,
    unverified: FORWARD,
    referrers: FORWARD,
    statTag: FORWARD,
    [Symbol.asyncDispose]: FORWARD,
    async root(call) {
      rootRead ??= source.root(call);
      return seen(await rootRead);
    },
    manifest: async (descriptor, call) =>
      seen(await askOnce(manifests, descriptor.digest, () => source.manifest(descriptor, call))),
    async blob(descriptor, from, call) {
      if (!ofImages.has(descriptor.digest)) return await source.blob(descriptor, from, call);
      const bytes = await askOnce(configs, descriptor.digest, () =>
        readSmallBlob(descriptor, () => source.blob(descriptor, 0, call)),
      );
      return oneChunk(bytes.subarray(from));
    },
  });
}
