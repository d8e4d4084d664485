// The object store in memory: for tests, and for registries that live only as long as their process. Nothing is durable.
import { oneChunk } from '../../io/streams/one-chunk.ts';
import type { ObjectInfo } from '../objects.ts';
import { memoryStages } from './memory-stages.ts';
import type { ObjectStore } from './object-store.ts';
import { SortedMap } from './sorted-map.ts';

interface StoredObject {
  readonly bytes: Uint8Array;
  readonly modified: Date;
  readonly version: string;
}

/** An empty store. Its contents go with it. `now`: the clock of its objects' times. */
export function createMemoryObjectStore({ now = () => new Date() }: { readonly now?: () => Date } = {}): ObjectStore {
  const objects = new SortedMap<StoredObject>();
  let versions = 0;

  function set(key: string, bytes: Uint8Array): void {
    versions += 1;
    objects.set(key, { bytes, modified: now(), version: `${versions}` });
  }

  function put(key: string, bytes: Uint8Array, { ifAbsent = false }: { readonly ifAbsent?: boolean } = {}): boolean {
    if (ifAbsent && objects.has(key)) return false;
    set(key, Buffer.from(bytes));
    return true;
  }

  function infoOf(key: string): ObjectInfo | undefined {
    const object = objects.get(key);
    return object && { key, size: object.bytes.length, modified: object.modified, version: object.version };
  }

  return {
    get: async (key, { from = 0, to } = {}) => {
      const object = objects.get(key);
      return object && oneChunk(object.bytes.subarray(from, to));
    },
    stat: async (key) => infoOf(key),
    put: async (key, bytes, options) => put(key, bytes, options),
    sync: async () => {},
    touch: async (key) => {
      const object = objects.get(key);
      if (object) set(key, object.bytes);
      return object !== undefined;
    },
    move: async (from, to, { ifAbsent = false } = {}) => {
      const object = objects.get(from);
      if (!object) return false;
      objects.delete(from);
      if (ifAbsent && objects.has(to)) return false;
      objects.set(to, object);
      return true;
    },
    ...memoryStages({ now, put }),
    capacity: async () => undefined,
    list: async function* (prefix, after = '') {
      for (const key of objects.keysBelow(prefix)) {
        const info = key > after ? infoOf(key) : undefined;
        if (info) yield info;
      }
    },
    any: async (prefix) => objects.hasBelow(prefix),
    children: async (prefix) => {
      const names = objects.keysBelow(prefix).map((key) => {
        const name = key.slice(prefix.length);
        const slash = name.indexOf('/');
        return slash < 0 ? name : name.slice(0, slash + 1);
      });
      return [...new Set(names)].sort();
    },
    delete: async (keys) => {
      for (const key of keys) objects.delete(key);
    },
    deleteAll: async (prefix) => {
      for (const key of objects.keysBelow(prefix)) objects.delete(key);
    },
  };
}
