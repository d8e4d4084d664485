// An image's configuration from the private registry, whole: it is small, or no configuration.
import type { CallOptions } from '../../io/streams/bytes.ts';
import { verified } from '../../io/streams/verify.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { ImagesError } from '../../oci/errors.ts';
import { MAX_MANIFEST_SIZE } from '../../oci/manifest.ts';
import type { Registry } from '../../registry/contract.ts';

/** Byte for byte, verified. Errors: BLOB_UNKNOWN, DIGEST_INVALID, SIZE_INVALID, MANIFEST_INVALID (too large). */
export async function readConfig(
  registry: Registry,
  { repository, config }: { readonly repository: string; readonly config: Descriptor },
  options: CallOptions,
): Promise<Uint8Array> {
  if (config.size > MAX_MANIFEST_SIZE) {
    throw new ImagesError('MANIFEST_INVALID', `the configuration is too large [${config.size} bytes]`);
  }
  const { body } = await registry.getBlob(repository, config.digest, { ...options, size: config.size, verify: true });
  return Buffer.concat(await Array.fromAsync(verified(body, config)));
}
