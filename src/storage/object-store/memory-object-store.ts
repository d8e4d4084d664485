// The object store in memory: for tests, and for registries that live only as long as their process. Nothing is durable.
import type { Bytes } from '../../io/streams/bytes.ts';
import type { Range } from '../blobs.ts';
import { isBlobStage } from '../layout.ts';
import type { ObjectInfo } from '../objects.ts';
import type { ObjectStore, Stage } from './object-store.ts';

interface StoredObject {
  readonly bytes: Uint8Array;
  modified: Date;
  version: string;
}

interface HeldStage {
  chunks: Uint8Array[];
  size: number;
  synced: number;
  modified: Date;
}

/** An empty store. Its contents go with it. `now`: the clock of its objects' times. */
export function createMemoryObjectStore({ now = () => new Date() }: { readonly now?: () => Date } = {}): ObjectStore {
  const objects = new Map<string, StoredObject>();
  const held = new Map<string, HeldStage>();
  const owners = new Map<string, Promise<void>>();
  let puts = 0;

  /** The keys of `objects` in their order. */
  const keys: string[] = [];

  function keysBelow(prefix: string): readonly string[] {
    const from = indexIn(keys, prefix);
    let to = from;
    while (keys[to]?.startsWith(prefix)) to += 1;
    return keys.slice(from, to);
  }

  function set(key: string, object: StoredObject): void {
    if (!objects.has(key)) keys.splice(indexIn(keys, key), 0, key);
    objects.set(key, object);
  }

  function remove(key: string): void {
    if (objects.delete(key)) keys.splice(indexIn(keys, key), 1);
  }

  function infoOf(key: string): ObjectInfo | undefined {
    const object = objects.get(key);
    return object && { key, size: object.bytes.length, modified: object.modified, version: object.version };
  }

  function put(key: string, bytes: Uint8Array): void {
    puts += 1;
    set(key, { bytes: Buffer.from(bytes), modified: now(), version: `${puts}` });
  }

  /** Waits until the stage is free; the returned function frees it. */
  async function own(id: string, signal: AbortSignal | undefined): Promise<() => void> {
    for (let owner = owners.get(id); owner; owner = owners.get(id)) await unlessAborted(owner, signal);
    signal?.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<void>();
    owners.set(id, promise);
    return () => {
      if (owners.get(id) === promise) owners.delete(id);
      resolve();
    };
  }

  function ownedStage(id: string, data: HeldStage, release: () => void): Stage {
    let open = true;
    function end(): void {
      open = false;
      release();
    }
    return {
      id,
      get size() {
        return data.size;
      },
      get written() {
        return data.size;
      },
      get synced() {
        return data.synced;
      },
      append: async (chunk) => {
        data.chunks.push(chunk);
        data.size += chunk.length;
        data.modified = now();
      },
      sync: async () => {
        data.synced = data.size;
      },
      read: () => streamOf(data.chunks),
      truncate: async (size) => {
        data.chunks = [Buffer.concat(data.chunks).subarray(0, size)];
        data.size = size;
        data.synced = Math.min(data.synced, size);
      },
      publish: async (key, { ifAbsent = false } = {}) => {
        if (ifAbsent && objects.has(key)) return false;
        put(key, Buffer.concat(data.chunks));
        held.delete(id);
        end();
        return true;
      },
      discard: async () => {
        if (!open) return;
        held.delete(id);
        end();
      },
      [Symbol.asyncDispose]: async () => {
        if (open) end();
      },
    };
  }

  return {
    get: async (key, range) => {
      const object = objects.get(key);
      return object && streamOf([slice(object.bytes, range)]);
    },
    stat: async (key) => infoOf(key),
    put: async (key, bytes, options = {}) => {
      if (options.ifAbsent && objects.has(key)) return false;
      put(key, bytes);
      return true;
    },
    sync: async () => {},
    touch: async (key) => {
      const object = objects.get(key);
      if (object) {
        puts += 1;
        object.modified = now();
        object.version = `${puts}`;
      }
      return object !== undefined;
    },
    move: async (from, to, { ifAbsent = false } = {}) => {
      const object = objects.get(from);
      if (!object) return false;
      remove(from);
      if (ifAbsent && objects.has(to)) return false;
      set(to, object);
      return true;
    },
    stage: async (id, options = {}) => {
      if (options.mustExist && !held.has(id)) return undefined;
      const release = await own(id, options.signal);
      const data =
        held.get(id) ?? (options.mustExist ? undefined : { chunks: [], size: 0, synced: 0, modified: now() });
      if (!data) {
        release();
        return undefined;
      }
      held.set(id, data);
      return ownedStage(id, data, release);
    },
    staged: async (id) => held.get(id)?.size ?? 0,
    sweep: async (limits) => {
      const { before, most = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY, spared } = limits;
      const { sessionsBefore = before } = limits;
      const idle = [...held].filter(([id]) => !owners.has(id)).reverse();
      idle.sort(([, a], [, b]) => b.modified.getTime() - a.modified.getTime());
      let size = 0;
      for (const [at, [id, data]] of idle.entries()) {
        size += data.size;
        const isSpared = spared !== undefined && data.modified > spared;
        const isTooMuch = !isSpared && (at >= most || (at > 0 && data.size > 0 && size > bytes));
        if (data.modified < (isBlobStage(id) ? before : sessionsBefore) || isTooMuch) held.delete(id);
      }
      return [...held.values()].reduce((sum, data) => sum + data.size, 0);
    },
    capacity: async () => undefined,
    list: async function* (prefix, after = '') {
      for (const key of keysBelow(prefix)) {
        const info = key > after ? infoOf(key) : undefined;
        if (info) yield info;
      }
    },
    any: async (prefix) => keys[indexIn(keys, prefix)]?.startsWith(prefix) ?? false,
    children: async (prefix) => {
      const names = keysBelow(prefix).map((key) => {
        const name = key.slice(prefix.length);
        const slash = name.indexOf('/');
        return slash < 0 ? name : name.slice(0, slash + 1);
      });
      return [...new Set(names)].sort();
    },
    delete: async (gone) => {
      for (const key of gone) remove(key);
    },
    deleteAll: async (prefix) => {
      for (const key of keysBelow(prefix)) remove(key);
    },
  };
}

/** Where the text is in a sorted list, or would be. */
function indexIn(sorted: readonly string[], text: string): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((sorted[middle] as string) < text) from = middle + 1;
    else to = middle;
  }
  return from;
}

function slice(bytes: Uint8Array, range: Range | undefined): Uint8Array {
  return bytes.subarray(range?.from ?? 0, range?.to);
}

async function* streamOf(chunks: readonly Uint8Array[]): Bytes & AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) if (chunk.length > 0) yield chunk;
}

async function unlessAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return promise;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
