// What a run has promised to fetch and has fetched. The promise is kept true when things turn out otherwise, so that both are equal at the end.
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { OnCopyEvent } from './events.ts';
import type { CopyPlan } from './plan.ts';

export interface Totals {
  readonly fetched: number;
  /** The blob comes from byte `from` on. */
  opened(blob: Descriptor, from: number): void;
  arrived(digest: Digest, bytes: number): void;
  /** The blob is there: nothing more of it will come. */
  done(digest: Digest): void;
}

export function createTotals(plan: CopyPlan, emit: OnCopyEvent): Totals {
  const outstanding = new Map<Digest, number>();
  for (const { blob, held } of plan.blobs.values())
    if (held < blob.size) outstanding.set(blob.digest, blob.size - held);
  const blobs = outstanding.size;
  let promised = plan.bytes;
  let fetched = 0;

  const say = () =>
    emit({ type: 'plan', images: plan.images.length, blobs, bytes: promised, held: plan.held + plan.bytes - promised });
  const expect = (digest: Digest, bytes: number) => {
    const before = outstanding.get(digest) ?? 0;
    outstanding.set(digest, bytes);
    if (bytes === before) return;
    promised += bytes - before;
    say();
  };

  say();
  return {
    get fetched() {
      return fetched;
    },
    opened: (blob, from) => expect(blob.digest, blob.size - from),
    arrived(digest, bytes) {
      fetched += bytes;
      outstanding.set(digest, (outstanding.get(digest) ?? 0) - bytes);
    },
    done: (digest) => expect(digest, 0),
  };
}
