// Reads an image's config from a registry.
import type { CallOptions } from '../io/streams/bytes.ts';
import { readSmallBlob } from '../io/streams/small-blob.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { RegistryReader } from './contract.ts';

/** The config's exact bytes, verified. Errors: BLOB_UNKNOWN, DIGEST_INVALID, SIZE_INVALID, MANIFEST_INVALID (too large). */
export async function readRegistryConfig(
  registry: RegistryReader,
  { repository, config }: { readonly repository: string; readonly config: Descriptor },
  options: CallOptions,
): Promise<Uint8Array> {
  const read = { ...options, size: config.size, verify: true };
  return await readSmallBlob(config, async () => (await registry.getBlob(repository, config.digest, read)).body);
}
