// What is needed of an image to look into its file system: its layers, wherever they are.
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Bytes, CallOptions } from '../registry/contract.ts';

export interface Layer {
  /** As the manifest names it. */
  readonly descriptor: Descriptor;
  /** The digest of the uncompressed archive, as the config says; absent where it says none. */
  readonly diffId?: Digest;
  /** The blob from its first byte, compressed as it is, verified. Can be opened several times. */
  open(options?: CallOptions): Promise<Bytes>;
}
