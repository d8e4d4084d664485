// Layers that are uncompressed where they are, and go compressed to a destination that keeps blobs for others. The seam between what compresses (this
// folder), what reads images (sources), and what sends layers before there is a plan (copy/send-ahead). A layer, known by its diffID:
//
//            layer(), keep()              file is whole                    a watcher sends it
//   unknown ─────────────────▶ compressing ─────────────▶ spooled ─────────────────────────▶ at the destination
//      │                        │      ▲                     │      it fails, or nobody sends         ▲
//      │ the memory knows it    │ it   │ its bytes are       └──────────── the plan sends it ─────────┘
//      ▼                        │ fails│ asked for
//   remembered ─────────────────│──────┘
//                               ▼
//                            unknown: whoever comes later tries again
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
  /** Of the layer with this diffID. */
  layer(diffId: Digest): Promise<CompressedForm | undefined>;
  rememberLayer(diffId: Digest, form: CompressedForm): Promise<void>;
  /** Of an image that its place knows by this id, with its layers compressed. */
  image(id: Digest): Promise<RememberedImage | undefined>;
  rememberImage(id: Digest, image: RememberedImage): Promise<void>;
}

export interface SpooledLayer extends LayerForm {
  readonly diffId: Digest;
  /** Of the uncompressed archive, in bytes. */
  readonly plainSize: number;
  /** The compressed bytes from `from` on. */
  open(from: number): Promise<Bytes>;
}

/** An uncompressed layer: its digest is the diffID. */
export type Plain = Pick<Descriptor, 'digest' | 'size'>;

export interface LayerSpool extends AsyncDisposable {
  readonly kind: 'gzip' | 'zstd';
  /** Compresses a layer, whatever it is. Errors: NO_SPACE, those of the body. */
  keep(body: Bytes): Promise<SpooledLayer>;
  /** The layer that is uncompressed this blob, compressed once: opened only where nobody has done it. Errors: DIGEST_INVALID, SIZE_INVALID, NO_SPACE, those of `open`. */
  layer(blob: Plain, open: () => Promise<Bytes>): Promise<SpooledLayer>;
  /** What the layer is when it is compressed, where that is known without doing it. */
  known(diffId: Digest): Promise<CompressedForm | undefined>;
  readonly memory?: LayerMemory;
  /** Layers will come, from a place that takes its time. */
  announce(): void;
  /** In place of an earlier watcher. */
  watch(watcher: LayerWatcher): void;
}

export interface LayerWatcher {
  /** Layers are announced, or one begins to be compressed. */
  begins(): void;
  compressed(layer: SpooledLayer): void;
}
