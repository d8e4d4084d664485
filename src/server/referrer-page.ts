// One page of referrers, as far as there is room: nothing is read beyond it.
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';

export interface ReferrerPage {
  readonly manifests: readonly Descriptor[];
  /** The last one, where more follow. */
  readonly next?: Digest;
}

export interface ReferrerPageOptions {
  /** Bytes of one page, as JSON. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/** Of descriptors that come in the order in which a page says where the next one begins. At least one, so that every page gets on. */
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
