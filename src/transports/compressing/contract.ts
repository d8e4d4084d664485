// The contract between what compresses layers (this folder), sources, and what sends layers before there is a plan (copy/send-ahead). Layers that are
// uncompressed at their source are compressed for a destination that serves blobs to others. The states of a layer, identified by its diffID:
//
//            layer(), keep()              file is whole                    a watcher sends it
//   unknown ─────────────────▶ compressing ─────────────▶ spooled ─────────────────────────▶ at the destination
//      │                        │      ▲                     │      it fails, or nobody sends         ▲
//      │ the memory knows it    │ it   │ its bytes are       └──────────── the plan sends it ─────────┘
//      ▼                        │ fails│ asked for
//   remembered ─────────────────│──────┘
//                               ▼
//                            unknown: the next request tries again
//
// `known` answers for spooled and remembered layers; a layer that is remembered, and that the destination has, is never compressed.
import type { Bytes } from '../../io/streams/bytes.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';

export type CompressionKind = 'none' | 'gzip' | 'zstd';

export interface LayerForm {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  readonly compression: CompressionKind;
}

export interface CompressedForm {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

export interface RememberedImage {
  readonly mediaType: string;
  readonly manifest: Uint8Array;
  readonly config: Uint8Array;
}

export interface LayerMemory {
  /** The compressed form of the layer with this diffID. */
  layer(diffId: Digest): Promise<CompressedForm | undefined>;
  rememberLayer(diffId: Digest, form: CompressedForm): Promise<void>;
  /** The image that its source knows by this id, with compressed layers. */
  image(id: Digest): Promise<RememberedImage | undefined>;
  rememberImage(id: Digest, image: RememberedImage): Promise<void>;
}

export interface SpooledLayer extends LayerForm {
  readonly diffId: Digest;
  /** Size of the uncompressed archive in bytes. */
  readonly plainSize: number;
  /** The compressed bytes from byte `from` on. */
  open(from: number): Promise<Bytes>;
}

/** An uncompressed layer: its digest is the diffID. */
export type Plain = Pick<Descriptor, 'digest' | 'size'>;

export interface LayerSpool extends AsyncDisposable {
  readonly kind: 'gzip' | 'zstd';
  /** Compresses a layer whose digest is not known. Errors: NO_SPACE, those of the body. */
  keep(body: Bytes): Promise<SpooledLayer>;
  /** Compresses the uncompressed layer `blob` once: `open` is called only if nobody has done so. Errors: DIGEST_INVALID, SIZE_INVALID, NO_SPACE, those of `open`. */
  layer(blob: Plain, open: () => Promise<Bytes>): Promise<SpooledLayer>;
  /** The compressed form of the layer, if it is known without compressing. Else returns `undefined`. */
  known(diffId: Digest): Promise<CompressedForm | undefined>;
  readonly memory?: LayerMemory;
  /** Announces that layers will come, from a source that is slow. */
  announce(): void;
  /** Sets the watcher, and replaces an earlier one. */
  watch(watcher: LayerWatcher): void;
}

export interface LayerWatcher {
  /** Called when layers are announced, or a layer begins to be compressed. */
  begins(): void;
  compressed(layer: SpooledLayer): void;
}
