// Where each blob goes in an archive that is being written. Slots get their offsets in the order of the digests, before blobs that come later.
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { blobPath } from '../layout/layout-files.ts';
import { archiveHeader, paddedSize } from './archive-format.ts';

export interface Slot {
  readonly blob: Descriptor;
  /** Offset of its header; absent until it is allotted. */
  at?: number;
  /** The blob is written. */
  there: boolean;
}

export interface ArchiveSlots {
  /** The blob's slot, made at the first call. */
  of(blob: Descriptor): Slot;
  has(digest: Digest): boolean;
  /** Gives an offset to each slot that has none. */
  allot(): void;
  filled(): readonly Slot[];
}

export function archiveSlots(): ArchiveSlots {
  const slots = new Map<Digest, Slot>();
  let waiting: Slot[] = [];
  let end = 0;
  return {
    of: (blob) => {
      const known = slots.get(blob.digest);
      if (known) return known;
      const slot: Slot = { blob, there: false };
      slots.set(blob.digest, slot);
      waiting.push(slot);
      return slot;
    },
    has: (digest) => slots.get(digest)?.there ?? false,
    allot: () => {
      for (const slot of waiting.sort(byDigest)) {
        slot.at = end;
        end += lengthOf(slot);
      }
      waiting = [];
    },
    filled: () => [...slots.values()].filter(({ there }) => there),
  };
}

export function slotHeader({ blob }: Slot): Uint8Array {
  return archiveHeader(blobPath(blob.digest), blob.size);
}

/** Of header and content, in bytes. */
export function lengthOf(slot: Slot): number {
  return slotHeader(slot).length + paddedSize(slot.blob.size);
}

export function startOf({ at }: Slot): number {
  if (at === undefined) throw new Error('a blob without a slot');
  return at;
}

function byDigest(a: Slot, b: Slot): number {
  return a.blob.digest < b.blob.digest ? -1 : 1;
}
