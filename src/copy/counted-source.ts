// A source that counts its requests and keeps to the limits. Its errors say which image and source they belong to.
import type { CallOptions } from '../io/streams/bytes.ts';
import { readSmallBlob } from '../io/streams/small-blob.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { RawManifest } from '../oci/manifest.ts';
import type { Platform } from '../oci/platform.ts';
import type { ImageSource } from '../transports/contract.ts';
import { partOf } from './check-images.ts';
import { failureOf } from './failure.ts';
import type { Limits } from './limits.ts';

export interface RequestCounter {
  requests: number;
}

/** What a plan reads of a source: manifests and configs. For other blobs see provide-blob.ts. */
export interface ManifestSource {
  root(): Promise<RawManifest>;
  manifest(descriptor: Descriptor): Promise<RawManifest>;
  referrers(subject: Digest): Promise<readonly Descriptor[]>;
  statTag(tag: string): Promise<Descriptor | undefined>;
  /** The whole config. `platform` is for messages. Errors: MANIFEST_INVALID for one that is too large. */
  config(descriptor: Descriptor, platform?: Platform): Promise<Uint8Array>;
}

export interface CountedSourceOptions extends CallOptions {
  readonly image: string;
  readonly limits: Limits;
  readonly counter: RequestCounter;
}

export function countedSource(source: ImageSource, options: CountedSourceOptions): ManifestSource {
  const { image, limits, counter, signal } = options;
  const call: CallOptions = signal ? { signal } : {};
  const ask = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await limits.source(
        source.host,
        () => {
          counter.requests++;
          return work();
        },
        signal,
      );
    } catch (error) {
      throw failureOf(error, { image, end: 'source', label: source.label, what });
    }
  };
  return {
    root: () => ask('manifest', () => source.root(call)),
    manifest: (descriptor) => ask(`manifest ${descriptor.digest}`, () => source.manifest(descriptor, call)),
    referrers: (subject) =>
      ask(`referrers of ${subject}`, async () => await Array.fromAsync(source.referrers(subject, call))),
    statTag: (tag) => ask(`tag ${tag}`, () => source.statTag(tag, call)),
    config: (descriptor, platform) =>
      ask(partOf('config', descriptor.digest, platform), () =>
        readSmallBlob(descriptor, () => source.blob(descriptor, 0, call)),
      ),
  };
}
