// The content of a file that `make` has written, in any format.

export interface ListedImage {
  readonly id: string;
  readonly names: readonly string[];
  readonly digest?: string;
  readonly layers: number;
  /** Total size of the layers as they are stored, in bytes. In a store: of the uncompressed archives. */
  readonly size: number;
}

export interface PrepulledPart {
  /** `store`, `layer ID`, `image docker.io/library/alpine:3.20`; `docker.io/library/alpine:3.20: layer 2 sha256:…`. */
  readonly what: string;
  /** Each with the violated rule. For an archive of images, `rule` is the kind of the part. */
  readonly problems: readonly { readonly rule: string; readonly text: string }[];
  /** Observations that are no errors. */
  readonly notes?: readonly string[];
}
