// What is needed of an image to look into its file system: its layers, wherever they are; and what is known of a layer that was read.
import type { Bytes, CallOptions } from '../io/streams/bytes.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { TarHeader } from '../tar/entry.ts';

export interface Layer {
  /** As the manifest names it. */
  readonly descriptor: Descriptor;
  /** The digest of the uncompressed archive, as the config says; absent where it says none. */
  readonly diffId?: Digest;
  /**
   * The blob from its first byte, compressed as it is, verified. Can be opened several times. `unverified`: who reads it has verified it before, or does so
   * otherwise; a place whose blobs stay what they are does not hash it then.
   */
  open(options?: CallOptions & { readonly unverified?: boolean }): Promise<Bytes>;
  /** Where `unverified` counts for something: hashes the blob now; its place notes what it finds. Errors: DIGEST_INVALID, SIZE_INVALID. */
  settle?(options?: CallOptions): Promise<void>;
  /** Where the index of the layer is kept, by who keeps the blob: next time the layer need not be read to be listed. */
  readonly index?: IndexStore;
}

export interface IndexStore {
  /** `undefined` where there is none. */
  load(): Promise<Uint8Array | undefined>;
  /** A place that cannot be written to is no error. */
  save(bytes: Uint8Array): Promise<void>;
}

export interface IndexedEntry extends TarHeader {
  /** The name, cleaned. */
  readonly path: string;
  /** Where it stands in the uncompressed archive, in bytes: from its first header block to the end of its padding. */
  readonly position: { readonly head: number; readonly body: number; readonly end: number };
}

export interface LayerIndex {
  /** In the archive's order. */
  readonly entries: readonly IndexedEntry[];
}
