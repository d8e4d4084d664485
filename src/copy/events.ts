// What a copy says while it runs: drawn as bars, as lines or as JSON in one place only (cli/). Sizes in bytes.
import type { Digest } from '../oci/digest.ts';
import type { ImagesError } from '../oci/errors.ts';

export type CopyEvent =
  /** Before the plan, which needs the digests of layers that lie uncompressed in their place: this many bytes of them are compressed now. */
  | { readonly type: 'compressing'; readonly bytes: number }
  /** Before the first blob; again when a total turns out otherwise (a destination refuses a mount, a part on disk was wrong). */
  | {
      readonly type: 'plan';
      readonly images: number;
      /** To be fetched, and the bytes of them that are not there yet. */
      readonly blobs: number;
      readonly bytes: number;
      /** Of what the images consist of, the bytes that the destination holds already. */
      readonly held: number;
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
  /** The destination would not make a blob that it has under one name one of the other: it is sent. */
  | { readonly type: 'not-mounted'; readonly image: string; readonly digest: Digest; readonly from: string }
  /** `bytes` of the blob are there now, counted from its first. */
  | { readonly type: 'progress'; readonly digest: Digest; readonly bytes: number }
  /** The blob is verified and stored; also where it was found there after all and so never fetched. */
  | { readonly type: 'blob-done'; readonly digest: Digest }
  | { readonly type: 'image-done'; readonly image: string; readonly digest: Digest }
  | { readonly type: 'image-failed'; readonly image: string; readonly error: ImagesError }
  /** `after` in milliseconds. */
  | { readonly type: 'retry'; readonly what: string; readonly after: number; readonly why: string }
  | { readonly type: 'note'; readonly text: string };

export type NotFetched =
  /** The destination has it under this name. */
  | 'there'
  /** It was mounted from another name of this run. */
  | 'mounted'
  /** It was mounted from a repository that is remembered to have it. */
  | 'remembered'
  /** The destination has it by now. */
  | 'found'
  /** The plan has read it. */
  | 'planned';

export type OnCopyEvent = (event: CopyEvent) => void;
