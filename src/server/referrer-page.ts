// One page of referrers, filled as far as there is room. Nothing is read beyond it.
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';

export interface ReferrerPage {
  readonly manifests: readonly Descriptor[];
  /** The last digest of the page, if more follow. */
  readonly next?: Digest;
}

export interface ReferrerPageOptions {
  /** Size of a page in bytes of JSON. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/** Takes descriptors in their order. A page has at least one, so that paging always advances. */
export async function referrerPage(
  all: AsyncIterable<Descriptor>,
  { limit, signal }: ReferrerPageOptions,
): Promise<ReferrerPage> {
  const manifests: Descriptor[] = [];
  let size = 0;
  for await (const descriptor of all) {
    signal.throwIfAborted();
    size += JSON.stringify(descriptor).length + 1;
    const last = manifests.at(-1);
    if (last && size > limit) return { manifests, next: last.digest };
    manifests.push(descriptor);
  }
  return { manifests };
}
