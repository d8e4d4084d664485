// Counts what was sent before there was a plan, and adds it to the totals that the plan and its execution report.
import type { Digest } from '../oci/digest.ts';
import type { OnCopyEvent } from './events.ts';

export interface AheadTotals {
  /** Blobs that were sent completely, and the bytes of them that the destination lacked. */
  readonly sent: { readonly blobs: number; readonly bytes: number };
  readonly isPlanned: boolean;
  /** The plan has begun: it counts the blobs that are under way, too. */
  plan(): void;
  /** A blob was sent; so many bytes of it were lacking. */
  add(digest: Digest, bytes: number): void;
  /** The event handler for the plan and its execution. */
  readonly onEvent: OnCopyEvent;
}

export function aheadTotals(emit: OnCopyEvent): AheadTotals {
  const sent = { blobs: 0, bytes: 0 };
  let isPlanned = false;
  let sentBefore = 0;
  /** Blobs whose `blob-done` was reported here. The plan's execution reports it once more, which is dropped. */
  const done = new Set<Digest>();
  return {
    sent,
    get isPlanned() {
      return isPlanned;
    },
    plan() {
      isPlanned = true;
    },
    add(digest, bytes) {
      sent.blobs++;
      sent.bytes += bytes;
      if (isPlanned) done.add(digest);
      else sentBefore++;
      emit({ type: 'blob-done', digest });
    },
    onEvent(event) {
      if (event.type === 'blob-done' && done.delete(event.digest)) return;
      if (event.type !== 'plan') return emit(event);
      const { blobs, bytes, alreadyThere } = event;
      emit({ ...event, blobs: blobs + sentBefore, bytes: bytes + sent.bytes, alreadyThere: alreadyThere - sent.bytes });
    },
  };
}
