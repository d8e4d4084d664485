// What is needed to look into an image's file system: its layers, independent of where they are, and the index of a layer that was read.
import type { Bytes, CallOptions } from '../io/streams/bytes.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { TarHeader } from '../tar/entry.ts';

export interface Layer {
  /** The descriptor in the manifest. */
  readonly descriptor: Descriptor;
  /** The digest of the uncompressed archive, from the config; absent if the config has none. */
  readonly diffId?: Digest;
  /**
   * The blob from its first byte, still compressed, verified. Can be opened several times. `unverified`: the reader has verified it before or verifies it
   * itself; a source whose blobs cannot change then does not hash it.
   */
  open(options?: CallOptions & { readonly unverified?: boolean }): Promise<Bytes>;
  /** Present if `unverified` has an effect: hashes the blob now, and its source records the result. Errors: DIGEST_INVALID, SIZE_INVALID. */
  settle?(options?: CallOptions): Promise<void>;
  /** Storage for the layer's index, beside the blob. With an index the layer need not be read to be listed. */
  readonly index?: IndexStore;
}

export interface IndexStore {
  /** Returns `undefined` if there is none. */
  load(): Promise<Uint8Array | undefined>;
  /** Best effort: a source that cannot be written to is no error. */
  save(bytes: Uint8Array): Promise<void>;
}

export interface IndexedEntry extends TarHeader {
  /** The normalised name. */
  readonly path: string;
  /** Offsets in the uncompressed archive, in bytes, from the first header block to the end of the padding. */
  readonly position: { readonly head: number; readonly body: number; readonly end: number };
}

export interface LayerIndex {
  /** In the archive's order. */
  readonly entries: readonly IndexedEntry[];
}
