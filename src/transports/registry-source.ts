// An image in a registry as a source: the HTTP client's, or a store's in process.
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
  /** The registry is a store of this machine: what went into it was verified. */
  readonly stored?: boolean;
}

/** `reference` is asked for as it stands, its host aside. The registry stays open: it is the caller's. */
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
    // What is there is wanted, and what is not costs HEAD and GET: so one GET.
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
