// What a check of a store finds. Each finding says what it costs, and how it can be mended.
import type { Digest } from '../../oci/digest.ts';

/**
 * `damaged-blob`: its bytes are wrong or unreadable. `missing-blob`: a manifest or a record names it, and it is not there.
 * `garbled-link`, `missing-link`: a link whose content is known; `garbled-tag`: what it should say may be known (`says`).
 * `stale-link`, `stale-record`: it leads nowhere, and nothing is lost with it. `missing-record`: a referrer that is not listed.
 */
export type StoreFaultKind =
  | 'damaged-blob'
  | 'missing-blob'
  | 'garbled-link'
  | 'missing-link'
  | 'garbled-tag'
  | 'stale-link'
  | 'stale-record'
  | 'missing-record';

/** `fetch`: the blob is fetched again, from where it came. `write`: the link is written anew. `delete`: nothing is lost with it. `none`: it cannot be mended. */
export type Mend = 'fetch' | 'write' | 'delete' | 'none';

export interface StoreFault {
  readonly kind: StoreFaultKind;
  /** A key in the store. */
  readonly where: string;
  /** The blob, or what the link should say. */
  readonly digest?: Digest;
  readonly mend: Mend;
  /** Images that cannot be pulled whole because of it, in byte order: `NAME:TAG`, or `NAME@DIGEST` for those without a tag. */
  readonly images: readonly string[];
}

/** What is known of a missing or damaged blob, so that it can be fetched again. */
export interface LostBlob {
  readonly digest: Digest;
  /** In bytes; `undefined` if it is not known. */
  readonly size: number | undefined;
  readonly isManifest: boolean;
  /** Repositories in which it is named. */
  readonly repositories: readonly string[];
  readonly images: readonly string[];
}

/** Images that cannot be pulled whole, in byte order. */
export function incompleteImages({ findings }: { readonly findings: readonly StoreFault[] }): readonly string[] {
  return [...new Set(findings.flatMap(({ images }) => images))].sort();
}
