// A source whose manifests and configs are asked for once, whoever reads them: what is looked at first and copied then is the same, and costs one request.
import { askOnce } from '../io/concurrency/ask-once.ts';
import { oneChunk } from '../io/streams/one-chunk.ts';
import { readSmallBlob } from '../io/streams/small-blob.ts';
import type { Digest } from '../oci/digest.ts';
import { decodeManifest, MAX_MANIFEST_SIZE, type RawManifest } from '../oci/manifest.ts';
import { FORWARD, forwarding } from '../registry/policies/forwarding.ts';
import type { ImageSource } from './contract.ts';

/** Of all sources of a run: what has a digest is the same wherever it comes from. */
export interface SourceMemory {
  readonly manifests: Map<Digest, Promise<RawManifest>>;
  readonly configs: Map<Digest, Promise<Uint8Array>>;
}

export function sourceMemory(): SourceMemory {
  return { manifests: new Map(), configs: new Map() };
}

/** The source stays the caller's to close. */
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
