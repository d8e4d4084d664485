// An object store whose process can be killed: from some call on nothing is done any more, and everybody who waits gets an error.
import type { ObjectStore, Stage } from '../object-store/object-store.ts';

export interface Killable {
  readonly objects: ObjectStore;
  /** The process dies after this number of further calls. */
  killAfter(calls: number): void;
  /** Gives back what the dead process owned, as the next owner on a disk would find it. */
  bury(): Promise<void>;
  readonly isDead: boolean;
}

export class Killed extends Error {}

/** Whether the process was killed; also if disposing of something on the way out failed for the same reason. */
export function wasKilled(error: unknown): boolean {
  if (error instanceof SuppressedError) return wasKilled(error.error) && wasKilled(error.suppressed);
  return error instanceof Killed;
}

export function killable(inner: ObjectStore): Killable {
  let left = Number.POSITIVE_INFINITY;
  const owned = new Set<Stage>();

  const mortal =
    <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      if (left-- <= 0) throw new Killed('killed');
      return await call(...args);
    };

  const mortalStage = (stage: Stage): Stage => ({
    id: stage.id,
    get size() {
      return stage.size;
    },
    get written() {
      return stage.written;
    },
    get synced() {
      return stage.synced;
    },
    flush: mortal(() => stage.flush()),
    read: () => stage.read(),
    reader: () => stage.reader(),
    append: mortal((chunk) => stage.append(chunk)),
    sync: mortal(() => stage.sync()),
    truncate: mortal((size) => stage.truncate(size)),
    publish: mortal(async (key, options) => {
      const isPublished = await stage.publish(key, options);
      if (isPublished) owned.delete(stage);
      return isPublished;
    }),
    discard: mortal(async () => {
      owned.delete(stage);
      await stage.discard();
    }),
    [Symbol.asyncDispose]: async () => {
      if (left <= 0) return;
      owned.delete(stage);
      await stage[Symbol.asyncDispose]();
    },
  });

  async function* list(prefix: string, after?: string): ReturnType<ObjectStore['list']> & AsyncGenerator<never> {
    for await (const info of inner.list(prefix, after)) {
      if (left <= 0) throw new Killed('killed');
      yield info as never;
    }
  }

  return {
    objects: {
      get: mortal(inner.get),
      stat: mortal(inner.stat),
      put: mortal(inner.put),
      sync: mortal(inner.sync),
      touch: mortal(inner.touch),
      move: mortal(inner.move),
      delete: mortal(inner.delete),
      deleteAll: mortal(inner.deleteAll),
      any: mortal(inner.any),
      children: mortal(inner.children),
      staged: mortal(inner.staged),
      sweep: mortal(inner.sweep),
      capacity: mortal(inner.capacity),
      list,
      stage: mortal(async (id, options) => {
        const stage = await inner.stage(id, options);
        if (!stage) return undefined;
        owned.add(stage);
        return mortalStage(stage);
      }),
    },
    killAfter: (calls) => {
      left = calls;
    },
    bury: async () => {
      for (const stage of owned) await stage[Symbol.asyncDispose]();
      owned.clear();
    },
    get isDead() {
      return left <= 0;
    },
  };
}
