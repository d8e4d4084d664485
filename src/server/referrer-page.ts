// One page of referrers, of any number of them in any order: no more is kept in memory than two pages hold.
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';

export interface ReferrerPage {
  /** In the order of digests, so that a page can say where the next one begins. */
  readonly manifests: readonly Descriptor[];
  /** The last one, where more follow. */
  readonly next?: Digest;
}

export interface ReferrerPageOptions {
  /** Only those after this digest. */
  readonly last: string | undefined;
  /** Bytes of one page, as JSON. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

interface Sized {
  readonly descriptor: Descriptor;
  readonly size: number;
}

export async function referrerPage(
  all: AsyncIterable<Descriptor>,
  { last, limit, signal }: ReferrerPageOptions,
): Promise<ReferrerPage> {
  let kept: readonly Sized[] = [];
  let added: Sized[] = [];
  let addedSize = 0;
  /** The first one that the page has no room for: what comes after it is of later pages. */
  let beyond: Sized | undefined;

  /** Keeps what the page has room for: at least one, so that every page gets on. */
  function trim(): void {
    const sorted = [...kept, ...added].sort((a, b) => (a.descriptor.digest < b.descriptor.digest ? -1 : 1));
    let size = 0;
    const at = sorted.findIndex((one, index) => {
      size += one.size;
      return index > 0 && size > limit;
    });
    beyond = sorted[at] ?? beyond;
    kept = at < 0 ? sorted : sorted.slice(0, at);
    [added, addedSize] = [[], 0];
  }

  for await (const descriptor of all) {
    signal.throwIfAborted();
    const { digest } = descriptor;
    if ((last !== undefined && digest <= last) || (beyond && digest > beyond.descriptor.digest)) continue;
    const size = JSON.stringify(descriptor).length + 1;
    added.push({ descriptor, size });
    addedSize += size;
    if (addedSize > limit) trim();
  }
  trim();
  const manifests = kept.map(({ descriptor }) => descriptor);
  const next = beyond ? manifests.at(-1)?.digest : undefined;
  return { manifests, ...(next && { next }) };
}
