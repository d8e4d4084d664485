// An object store in memory that knows of each object whether its bytes would survive a power cut. It holds what the directory's driver promises
// (object-store.ts): a put is synced unless it is volatile or `ifAbsent`, a stage is unless it is published with `nothing`.
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import type { ObjectStore } from '../object-store/object-store.ts';

export interface SyncedMemory {
  readonly objects: ObjectStore;
  isSynced(key: string): boolean;
}

export function syncedMemory(options: { readonly now: () => Date }): SyncedMemory {
  const inner = createMemoryObjectStore(options);
  const synced = new Set<string>();
  const note = (key: string, is: boolean) => (is ? synced.add(key) : synced.delete(key));
  const objects: ObjectStore = {
    ...inner,
    put: async (key, bytes, options = {}) => {
      const isPut = await inner.put(key, bytes, options);
      if (isPut) note(key, !options.volatile && !options.ifAbsent);
      return isPut;
    },
    sync: async (keys, { namesOnly = false } = {}) => {
      for (const key of namesOnly ? [] : keys) if (await inner.stat(key)) synced.add(key);
    },
    move: async (from, to, options) => {
      const isThere = options?.ifAbsent && (await inner.stat(to)) !== undefined;
      const isMoved = await inner.move(from, to, options);
      if (isMoved && !isThere) note(to, synced.has(from));
      return isMoved;
    },
    stage: async (id, options) => {
      const stage = await inner.stage(id, options);
      if (!stage) return undefined;
      const { publish } = stage;
      return Object.defineProperty(stage, 'publish', {
        value: async (...[key, how]: Parameters<typeof publish>) => {
          const isPublished = await publish(key, how);
          if (isPublished) note(key, how?.durable !== 'nothing');
          return isPublished;
        },
      });
    },
  };
  return { objects, isSynced: (key) => synced.has(key) };
}
