// An image's configuration from the private registry, whole: it is small, or no configuration.
import type { Descriptor } from '../oci/descriptor.ts';
import { ImagesError } from '../oci/errors.ts';
import { MAX_MANIFEST_SIZE } from '../oci/manifest.ts';
import type { CallOptions, Registry } from '../registry/contract.ts';

/** Byte for byte. Errors: BLOB_UNKNOWN, MANIFEST_INVALID (too large). */
export async function readConfig(
  registry: Registry,
  { repository, config }: { readonly repository: string; readonly config: Descriptor },
  options: CallOptions,
): Promise<Uint8Array> {
  if (config.size > MAX_MANIFEST_SIZE) {
    throw new ImagesError('MANIFEST_INVALID', `the configuration is too large [${config.size} bytes]`);
  }
  const { body } = await registry.getBlob(repository, config.digest, options);
  return Buffer.concat(await Array.fromAsync(body));
}
