// The bytes that a run has promised to fetch, and those it has fetched. The promise is corrected when things change, so that both are equal at the end.
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { CopyPlan } from './copy-plan.ts';
import type { OnCopyEvent } from './events.ts';

export interface Totals {
  readonly fetched: number;
  /** Bytes of the images' blobs that the destination had already. */
  readonly alreadyThere: number;
  /** The blob is being fetched from byte `from` on. */
  opened(blob: Descriptor, from: number): void;
  arrived(digest: Digest, bytes: number): void;
  /** The blob is stored: no more bytes of it will be fetched. */
  done(blob: Descriptor): void;
}

export function createTotals(plan: CopyPlan, emit: OnCopyEvent): Totals {
  const outstanding = new Map<Digest, number>();
  const presentOf = new Map<Digest, number>();
  for (const [digest, { blob, present }] of plan.blobs) {
    presentOf.set(digest, present);
    if (present < blob.size) outstanding.set(digest, blob.size - present);
  }
  const blobs = outstanding.size;
  const opened = new Set<Digest>();
  let promised = plan.bytes;
  let alreadyThere = plan.alreadyThere;
  let fetched = 0;

  const say = () => emit({ type: 'plan', images: plan.images.length, blobs, bytes: promised, alreadyThere });
  const expect = (digest: Digest, bytes: number, there: number) => {
    const before = outstanding.get(digest) ?? 0;
    outstanding.set(digest, bytes);
    alreadyThere += there - (presentOf.get(digest) ?? there);
    presentOf.set(digest, there);
    if (bytes === before) return;
    promised += bytes - before;
    say();
  };

  say();
  return {
    get fetched() {
      return fetched;
    },
    get alreadyThere() {
      return alreadyThere;
    },
    opened(blob, from) {
      opened.add(blob.digest);
      expect(blob.digest, blob.size - from, from);
    },
    arrived(digest, bytes) {
      fetched += bytes;
      outstanding.set(digest, (outstanding.get(digest) ?? 0) - bytes);
    },
    done(blob) {
      expect(blob.digest, 0, opened.has(blob.digest) ? (presentOf.get(blob.digest) ?? 0) : blob.size);
    },
  };
}
