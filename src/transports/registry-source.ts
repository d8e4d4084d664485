// An image in a registry as a source: over HTTP, or in the embedded store in process.
import type { Bytes, CallOptions } from '../io/streams/bytes.ts';
import { verified } from '../io/streams/verify.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { isImagesError } from '../oci/errors.ts';
import { manifestDescriptor, type RawManifest } from '../oci/manifest.ts';
import { formatReference, type Reference, tagOrDigest } from '../oci/reference.ts';
import type { BlobOptions, ImageReader } from '../registry/contract.ts';
import type { ImageSource } from './contract.ts';
import { requireSize } from './wrong-parts.ts';

export interface RegistrySourceOptions {
  /** For messages; `docker://REFERENCE` when absent. */
  readonly label?: string;
  /** Whether the registry is a store of this machine, whose blobs were verified when they were put. */
  readonly stored?: boolean;
}

/** `reference` is requested unchanged, except for its host. The registry stays the caller's. */
export function registrySource(
  registry: ImageReader,
  reference: Reference,
  options: RegistrySourceOptions = {},
): ImageSource {
  const repository = reference.path;
  let root: Promise<RawManifest> | undefined;
  const open = async (descriptor: Descriptor, call: BlobOptions): Promise<Bytes> => {
    const { digest, size } = descriptor;
    const { descriptor: found, body } = await registry.getBlob(repository, digest, { ...call, size });
    if (found.size !== size) {
      await body[Symbol.asyncIterator]().return?.();
      requireSize('blob', found.size, descriptor);
    }
    return body;
  };
  return {
    label: options.label ?? `docker://${formatReference(reference)}`,
    host: reference.host ?? '',
    root(call) {
      root ??= registry.getManifest(repository, tagOrDigest(reference), call);
      return root;
    },
    async manifest(descriptor, call) {
      const raw = await registry.getManifest(repository, descriptor.digest, call);
      requireSize('manifest', raw.size, descriptor);
      return raw;
    },
    async blob(descriptor, from, call) {
      const body = await open(descriptor, { ...call, from, verify: from === 0 });
      return from === 0 ? verified(body, descriptor) : body;
    },
    ...(options.stored && {
      unverified: (descriptor: Descriptor, call?: CallOptions) => open(descriptor, { ...call }),
    }),
    referrers: (subject, call) => registry.referrers(repository, subject, undefined, call),
    // A single GET: the manifest is needed if it exists, and HEAD with GET would be two requests.
    async statTag(tag, call) {
      try {
        return manifestDescriptor(await registry.getManifest(repository, tag, call));
      } catch (error) {
        if (isImagesError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) return undefined;
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}
