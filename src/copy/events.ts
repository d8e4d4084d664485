// The events of a copy. Only cli/ shows them, as bars, lines or JSON. Sizes are in bytes.
import type { Digest } from '../oci/digest.ts';
import type { ImagesError } from '../oci/errors.ts';

export type CopyEvent =
  /** Before the plan, which needs the digests of compressed layers: this many bytes of uncompressed layers are being compressed. */
  | { readonly type: 'compressing'; readonly bytes: number }
  /** Before the first blob; again when a total changes (the destination refuses a mount, a partial blob on disk was wrong). */
  | {
      readonly type: 'plan';
      readonly images: number;
      /** Blobs to fetch, and how many of their bytes the destination lacks. */
      readonly blobs: number;
      readonly bytes: number;
      /** Bytes of the images' blobs that the destination already has. */
      readonly alreadyThere: number;
    }
  /** The image's first blob or manifest is under way. */
  | { readonly type: 'image'; readonly image: string }
  /** A blob is being fetched from byte `from` on; again after a failed attempt. */
  | { readonly type: 'blob'; readonly digest: Digest; readonly size: number; readonly from: number }
  /** The source is not asked for this blob or manifest. */
  | {
      readonly type: 'not-fetched';
      readonly image: string;
      readonly what: 'blob' | 'manifest';
      readonly digest: Digest;
      readonly size: number;
      readonly why: NotFetched;
    }
  /** The destination refused to mount a blob from one repository into another: the blob is sent. */
  | { readonly type: 'not-mounted'; readonly image: string; readonly digest: Digest; readonly from: string }
  /** The first `bytes` bytes of the blob have arrived. */
  | { readonly type: 'progress'; readonly digest: Digest; readonly bytes: number }
  /** The blob is verified and stored, or the destination had it after all and it was not fetched. */
  | { readonly type: 'blob-done'; readonly digest: Digest }
  | { readonly type: 'image-done'; readonly image: string; readonly digest: Digest }
  | { readonly type: 'image-failed'; readonly image: string; readonly error: ImagesError }
  /** `after` in milliseconds. */
  | { readonly type: 'retry'; readonly what: string; readonly after: number; readonly why: string }
  | { readonly type: 'note'; readonly text: string };

export type NotFetched =
  /** The destination has it in the image's repository. */
  | 'there'
  /** It was mounted from the repository of another image of this run. */
  | 'mounted'
  /** It was mounted from a repository that is remembered to have it. */
  | 'remembered'
  /** The destination has got it since the plan was made. */
  | 'found'
  /** Planning has read it already. */
  | 'planned';

export type OnCopyEvent = (event: CopyEvent) => void;
