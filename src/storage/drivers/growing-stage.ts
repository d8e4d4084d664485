// A blob that can be read while it is written: readers have a descriptor of their own, and see what the system has of it.
import type { GrowingBlob } from '../../registry/contract.ts';
import type { Stage } from '../object-store/object-store.ts';

/** What the writer tells of it. */
export interface Growth {
  /** More may be written. */
  grows(): void;
  /** What is there proved wrong, and is about to be dropped. */
  restarts(): void;
  /** All of it is written and verified. */
  isWhole(): void;
}

/** What an earlier attempt has left can be read at once: like all of it, it is verified at the end. */
export async function growthOf(stage: Stage, onGrowing: (growing: GrowingBlob) => void): Promise<Growth> {
  const reader = await stage.reader();
  let size = stage.written;
  let [isWhole, restarts] = [false, 0];
  let change = Promise.withResolvers<void>();
  const tell = () => {
    change.resolve();
    change = Promise.withResolvers();
  };
  onGrowing({
    get size() {
      return size;
    },
    get isWhole() {
      return isWhole;
    },
    get restarts() {
      return restarts;
    },
    read: (buffer, position) => reader.read(buffer, position),
    changed: () => change.promise,
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  });
  const grows = () => {
    // Bytes in memory cannot be read yet.
    if (stage.written === size) return;
    size = stage.written;
    tell();
  };
  return {
    grows,
    restarts: () => {
      restarts += 1;
      size = 0;
      tell();
    },
    isWhole: () => {
      size = stage.written;
      isWhole = true;
      tell();
    },
  };
}
