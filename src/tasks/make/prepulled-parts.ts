// What is found in a file that `make` has made, in whatever format.

export interface ListedImage {
  readonly id: string;
  readonly names: readonly string[];
  readonly digest?: string;
  readonly layers: number;
  /** Of the layers as they lie there, in bytes: of a store's uncompressed archives. */
  readonly size: number;
}

export interface PrepulledPart {
  /** `store`, `layer ID`, `image docker.io/library/alpine:3.20`; `docker.io/library/alpine:3.20: layer 2 sha256:…`. */
  readonly what: string;
  /** With the rule that is broken; of an archive of images, the kind of part that is wrong. */
  readonly problems: readonly { readonly rule: string; readonly text: string }[];
  /** What is no fault, but worth knowing. */
  readonly notes?: readonly string[];
}
