// What this process knows of the bytes in a store: the last count, what others have told since, and what it has added itself.
import type { Objects } from '../objects.ts';
import { type AddedBytes, allAdded, type OwnAdded } from './added-bytes.ts';
import { readCount, type StoreCount } from './store-count.ts';

export interface KnownSum {
  readonly count: StoreCount | undefined;
  /** In bytes; 0 without a count. */
  readonly total: number;
  /** Learns what others have added, and counted. Returns what all have added. */
  learn(): Promise<AddedBytes>;
  /** To be called with a newer count, and what all have added. */
  know(count: StoreCount | undefined, added: AddedBytes): void;
}

export function knownSum(objects: Objects, own: OwnAdded): KnownSum {
  let last: StoreCount | undefined;
  /** What others have added since. */
  let others = 0;

  function know(count: StoreCount | undefined, added: AddedBytes): void {
    last = count;
    others = 0;
    for (const [name, bytes] of added) if (name !== own.name) others += bytes - (count?.added.get(name) ?? 0);
  }

  return {
    get count() {
      return last;
    },
    get total() {
      return last ? last.bytes + others + own.bytes - (last.added.get(own.name) ?? 0) : 0;
    },
    learn: async () => {
      // The additions first: those that are gone when the count is read are in it.
      const added = await allAdded(objects);
      const found = await readCount(objects);
      // On a full disk, what this process has counted is in its memory alone.
      const isNewest = last === undefined || (found !== undefined && found.countedAt >= last.countedAt);
      know(isNewest ? found : last, added);
      return added;
    },
    know,
  };
}
