// Every order in which a few actors can make their calls to one object store, in memory. A call is one step; between two of its calls an actor runs alone.
// An order that leads to a state which another has led to (the same objects, and each actor has seen the same results) is not followed further.
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { vi } from 'vitest';
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import type { ObjectStore, Stage } from '../object-store/object-store.ts';
import { readObject } from '../object-store/read-object.ts';

export interface Actor {
  readonly name: string;
  run(objects: ObjectStore): Promise<void>;
  /** It is killed before this call: from then on it does nothing, and its stages have no owner. */
  readonly killedAt?: number;
}

export interface Scene {
  readonly objects: ObjectStore;
  readonly actors: readonly Actor[];
  /** What must hold: called after each step, and throws if it does not hold. */
  check(): Promise<void>;
  /** Called once all actors have ended. */
  end(): Promise<void>;
}

export interface Explored {
  /** Orders that were followed to their end. */
  readonly ended: number;
  readonly states: number;
  /** The most calls that one actor made. */
  readonly calls: number;
}

/** As `switches`: every order. */
export const ALL = Number.POSITIVE_INFINITY;

/**
 * Follows all orders with at most so many `switches`: turns of another actor although the last one could go on. The clock stands still, because times that are
 * written down would make each order's states different from those of all others.
 */
export async function explore(makeScene: () => Promise<Scene>, switches: number): Promise<Explored> {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    return await exploreAll(makeScene, switches);
  } finally {
    vi.useRealTimers();
  }
}

async function exploreAll(makeScene: () => Promise<Scene>, switches: number): Promise<Explored> {
  const reached = new Map<string, number>();
  const open: Order[] = [{ steps: [], switches: 0 }];
  let [ended, calls] = [0, 0];
  for (let order = open.pop(); order; order = open.pop()) {
    const found = await follow(await makeScene(), order, { switches, reached, open });
    if (found.isWhole) ended += 1;
    calls = Math.max(calls, found.calls);
  }
  return { ended, states: reached.size, calls };
}

/** A store of its own with the same objects, for each order: quicker than to make them anew. */
export async function copiedStore(objects: ObjectStore): Promise<ObjectStore> {
  let now: Date | undefined;
  const copy = createMemoryObjectStore({ now: () => now ?? new Date() });
  for await (const { key, modified } of objects.list('')) {
    now = modified;
    await copy.put(key, (await readObject(objects, key)) ?? new Uint8Array());
  }
  now = undefined;
  return copy;
}

interface Order {
  /** Which actor makes its next call. */
  readonly steps: readonly number[];
  readonly switches: number;
}

interface Search {
  readonly switches: number;
  /** By state: the fewest switches with which it was reached. */
  readonly reached: Map<string, number>;
  readonly open: Order[];
}

async function follow(scene: Scene, order: Order, search: Search): Promise<{ isWhole: boolean; calls: number }> {
  const turns = scene.actors.map((actor) => new Turns(actor, scene.objects));
  const steps: number[] = [];
  let switches = 0;
  const told = () => steps.map((at) => `${scene.actors[at]?.name}: ${turns[at]?.made.shift()}`).join('\n  ');
  const calls = () => Math.max(...turns.map((turn) => turn.made.length));
  try {
    await settle(turns);
    for (;;) {
      const ready = [...turns.keys()].filter((at) => turns[at]?.isReady);
      if (ready.length === 0) break;
      const last = steps.at(-1);
      const goesOn = last !== undefined && ready.includes(last) ? last : undefined;
      const next = order.steps[steps.length] ?? goesOn ?? (ready[0] as number);
      if (steps.length >= order.steps.length) {
        const state = `${search.switches === ALL ? '' : goesOn} ${await stateOf(scene.objects, turns)}`;
        const before = search.reached.get(state);
        if (before !== undefined && before <= switches) return { isWhole: false, calls: calls() };
        search.reached.set(state, switches);
        for (const at of ready) {
          const count = switches + (goesOn === undefined ? 0 : 1);
          if (at !== next && count <= search.switches) search.open.push({ steps: [...steps, at], switches: count });
        }
      }
      if (goesOn !== undefined && next !== goesOn) switches += 1;
      steps.push(next);
      turns[next]?.go();
      await settle(turns);
      if (steps.length > order.steps.length) await scene.check();
    }
    const stuck = turns.find((turn) => !turn.hasEnded);
    if (stuck) throw new Error(`${stuck.actor.name} waits for ever`);
    await scene.end();
  } catch (error) {
    throw new Error(`in this order:\n  ${told()}\n${(error as Error).message}`, { cause: error });
  }
  return { isWhole: true, calls: calls() };
}

/** Waits until every actor has asked for its next call, has ended, or waits for another one. */
async function settle(turns: readonly Turns[]): Promise<void> {
  await setImmediate();
  for (const turn of turns) if (turn.failure) throw turn.failure;
}

/** An actor, whose calls each wait for their turn. */
class Turns {
  readonly actor: Actor;
  readonly made: string[] = [];
  hasEnded = false;
  failure: unknown;
  readonly #stages = new Set<Stage>();
  /** Calls that an actor makes at once have their turns in this order. */
  readonly #waiting: (() => void)[] = [];

  constructor(actor: Actor, objects: ObjectStore) {
    this.actor = actor;
    actor.run(this.#inTurns(objects)).then(
      () => {
        this.hasEnded = true;
      },
      (error: unknown) => {
        this.failure = error;
      },
    );
  }

  get isReady(): boolean {
    return this.#waiting.length > 0;
  }

  get seen(): string {
    return `${this.made.length} ${this.#results.join('\n')}`;
  }

  readonly #results: string[] = [];

  go(): void {
    this.#waiting.shift()?.();
  }

  async #call<T>(name: string, work: () => Promise<T>, shown: (result: T) => unknown = (result) => result): Promise<T> {
    if (this.made.length + this.#waiting.length === this.actor.killedAt) {
      for (const stage of this.#stages) await stage[Symbol.asyncDispose]();
      this.hasEnded = true;
      return await new Promise<never>(() => {});
    }
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
    this.made.push(name);
    const result = await work();
    this.#results.push(JSON.stringify(shown(result)) ?? '');
    return result;
  }

  #inTurns(inner: ObjectStore): ObjectStore {
    const call = this.#call.bind(this);
    const stages = this.#stages;
    return {
      ...inner,
      get: async (key, range) => {
        // What is opened stays as it is; so reading it is no further step.
        let bytes: Uint8Array | undefined;
        await call(`get ${key}`, async () => {
          bytes = await readObject({ get: (one) => inner.get(one, range) }, key);
          return bytes && Buffer.from(bytes).toString('latin1');
        });
        return bytes && chunks(bytes);
      },
      stat: (key) => call(`stat ${key}`, () => inner.stat(key)),
      put: (key, bytes, options) => call(`put ${key}`, () => inner.put(key, bytes, options)),
      sync: (keys, options) => call(`sync ${keys}`, () => inner.sync(keys, options)),
      touch: (key) => call(`touch ${key}`, () => inner.touch(key)),
      any: (prefix) => call(`any ${prefix}`, () => inner.any(prefix)),
      children: (prefix) => call(`children ${prefix}`, () => inner.children(prefix)),
      delete: async (keys) => {
        for (const key of keys) await call(`delete ${key}`, () => inner.delete([key]));
      },
      move: (from, to, options) => call(`move ${from} ${to}`, () => inner.move(from, to, options)),
      list: async function* (prefix, after) {
        const found = inner.list(prefix, after)[Symbol.asyncIterator]();
        for (;;) {
          const { value, done } = await call(`list ${prefix}`, () => found.next());
          if (done) return;
          yield value;
        }
      },
      stage: async (id, options) => {
        const stage = await call(
          `stage ${id}`,
          () => inner.stage(id, options),
          (one) => one?.size,
        );
        if (!stage) return undefined;
        stages.add(stage);
        const end = async (name: string, work: () => Promise<unknown>) => {
          if (!stages.has(stage)) return;
          await call(`${name} ${id}`, work, () => '');
          stages.delete(stage);
        };
        return {
          id,
          get size() {
            return stage.size;
          },
          get written() {
            return stage.written;
          },
          get synced() {
            return stage.synced;
          },
          append: stage.append,
          sync: stage.sync,
          flush: stage.flush,
          read: stage.read,
          reader: stage.reader,
          truncate: stage.truncate,
          publish: async (key, how) => {
            const isPublished = await call(`publish ${key}`, () => stage.publish(key, how));
            if (isPublished) stages.delete(stage);
            return isPublished;
          },
          discard: () => end('discard', () => stage.discard()),
          [Symbol.asyncDispose]: () => end('leave', async () => stage[Symbol.asyncDispose]()),
        };
      },
    };
  }
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

/** A hash of all objects and of what the actors have seen. Versions, and the numbers in names of blobs put aside, count up; a state only says which are equal. */
async function stateOf(objects: ObjectStore, turns: readonly Turns[]): Promise<string> {
  const held: unknown[] = [];
  for await (const info of objects.list('')) {
    held.push(info, Buffer.from((await readObject(objects, info.key)) ?? []).toString('latin1'));
  }
  const text = [JSON.stringify(held), ...turns.map((turn) => turn.seen)].join('\n\n');
  const names = new Map<string, number>();
  const alike = text.replace(/("version":"|damaged |~[\w.-]+\.)(\d+)/g, (_, kind: string, number: string) => {
    const name = `${kind.startsWith('~') ? '~' : 'v'}${number}`;
    const at = names.get(name) ?? names.size;
    names.set(name, at);
    return `${kind}${at}`;
  });
  return createHash('sha256').update(alike).digest('base64');
}
