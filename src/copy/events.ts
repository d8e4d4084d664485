// What a copy says while it runs: drawn as bars, as lines or as JSON in one place only (cli/). Sizes in bytes.
import type { Digest } from '../oci/digest.ts';
import type { ImagesError } from '../oci/errors.ts';

export type CopyEvent =
  | {
      readonly type: 'plan';
      readonly images: number;
      readonly blobs: number;
      readonly bytes: number;
      readonly held: number;
    }
  | { readonly type: 'image'; readonly image: string }
  | { readonly type: 'blob'; readonly digest: Digest; readonly size: number; readonly from: number }
  | { readonly type: 'progress'; readonly digest: Digest; readonly bytes: number }
  | { readonly type: 'blob-done'; readonly digest: Digest }
  | { readonly type: 'image-done'; readonly image: string; readonly digest: Digest }
  | { readonly type: 'image-failed'; readonly image: string; readonly error: ImagesError }
  | { readonly type: 'retry'; readonly what: string; readonly after: number; readonly why: string }
  | { readonly type: 'note'; readonly text: string };

export type OnCopyEvent = (event: CopyEvent) => void;
