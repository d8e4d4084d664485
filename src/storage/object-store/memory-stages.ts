// Stages in memory: bytes on their way in, one owner at a time.
import type { Bytes } from '../../io/streams/bytes.ts';
import type { SweepLimits } from '../blobs.ts';
import { isBlobStage } from '../layout/store-keys.ts';
import type { ObjectStore, Stage, StageOptions } from './object-store.ts';

interface HeldStage {
  chunks: Uint8Array[];
  size: number;
  synced: number;
  modified: Date;
}

export interface MemoryStagesOptions {
  readonly now: () => Date;
  /** Puts an object. Returns false if there is one and `ifAbsent` is set. */
  readonly put: (key: string, bytes: Uint8Array, options: { readonly ifAbsent: boolean }) => boolean;
}

export function memoryStages({ now, put }: MemoryStagesOptions): Pick<ObjectStore, 'stage' | 'staged' | 'sweep'> {
  const held = new Map<string, HeldStage>();
  const owners = new Map<string, Promise<void>>();

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
      flush: async () => {},
      read: () => streamOf(data.chunks),
      reader: async () => ({
        read: async (buffer, position) => {
          const bytes = Buffer.concat(data.chunks).subarray(position, position + buffer.length);
          if (bytes.length < buffer.length) throw new Error(`stage ended early, at byte ${position + bytes.length}`);
          buffer.set(bytes);
        },
        [Symbol.asyncDispose]: async () => {},
      }),
      truncate: async (size) => {
        data.chunks = [Buffer.concat(data.chunks).subarray(0, size)];
        data.size = size;
        data.synced = Math.min(data.synced, size);
      },
      publish: async (key, { ifAbsent = false } = {}) => {
        if (!put(key, Buffer.concat(data.chunks), { ifAbsent })) return false;
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

  async function stage(id: string, { mustExist = false, signal }: StageOptions = {}): Promise<Stage | undefined> {
    if (mustExist && !held.has(id)) return undefined;
    const release = await own(id, signal);
    const data = held.get(id) ?? (mustExist ? undefined : { chunks: [], size: 0, synced: 0, modified: now() });
    if (!data) {
      release();
      return undefined;
    }
    held.set(id, data);
    return ownedStage(id, data, release);
  }

  async function sweep(limits: SweepLimits): Promise<number> {
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
  }

  return { stage, staged: async (id) => held.get(id)?.size ?? 0, sweep };
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
