// The contract of ObjectStore beyond that of Objects (objects-contract.ts): stages, moves, ranges. For the file system and memory.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ObjectStore, Stage } from '../../src/storage/object-store/object-store.ts';
import { collect } from './content.ts';

/** Each call of `makeStore` returns an empty store. */
export function objectStoreContract(name: string, makeStore: () => Promise<ObjectStore>): void {
  describe(`${name} as an object store`, () => {
    it('gives ranges: from, to, both, and as much as there is', async () => {
      const store = await makeStore();
      await store.put('k', Buffer.from('0123456789'));
      const range = async (from?: number, to?: number) => {
        const body = await store.get('k', { ...(from !== undefined && { from }), ...(to !== undefined && { to }) });
        return body && `${await collect(body)}`;
      };
      expect(await range(3)).toBe('3456789');
      expect(await range(undefined, 4)).toBe('0123');
      expect(await range(2, 5)).toBe('234');
      expect(await range(8, 100)).toBe('89');
      expect(await range(10)).toBe('');
    });

    it('gives an object another name, with its time and version', async () => {
      const store = await makeStore();
      await store.put('a/k', Buffer.from('x'));
      const { modified, version } = (await store.stat('a/k')) ?? {};
      await delay(15);
      expect(await store.move('a/k', 'b/deep/k')).toBe(true);
      expect(await store.stat('a/k')).toBeUndefined();
      expect(await store.children('a/')).toEqual([]);
      expect(await textOf(store, 'b/deep/k')).toBe('x');
      expect((await store.stat('b/deep/k'))?.modified).toEqual(modified);
      expect((await store.stat('b/deep/k'))?.version).toBe(version);
    });

    it('replaces what has the new name, or leaves it with ifAbsent; the old name goes anyway', async () => {
      const store = await makeStore();
      for (const key of ['one', 'two', 'three']) await store.put(key, Buffer.from(key));
      expect(await store.move('one', 'two')).toBe(true);
      expect(await textOf(store, 'two')).toBe('one');
      await store.move('two', 'three', { ifAbsent: true });
      expect(await textOf(store, 'three')).toBe('three');
      expect(await store.stat('two')).toBeUndefined();
      expect(await store.move('three', 'new', { ifAbsent: true })).toBe(true);
      expect(await textOf(store, 'new')).toBe('three');
    });

    it('moves nothing where nothing is', async () => {
      const store = await makeStore();
      await store.put('k', Buffer.from('x'));
      for (const ifAbsent of [false, true]) expect(await store.move('none', 'k', { ifAbsent })).toBe(false);
      expect(await textOf(store, 'k')).toBe('x');
    });

    it('lets one of many win that move an object', async () => {
      const store = await makeStore();
      await store.put('k', Buffer.from('x'));
      const names = Array.from({ length: 12 }, (_, at) => `to/${at}`);
      const moved = await Promise.all(names.map((name) => store.move('k', name)));
      expect(moved.filter((is) => is)).toHaveLength(1);
      expect(await store.children('to/')).toEqual([`${moved.indexOf(true)}`]);
    });

    it('refuses keys that would leave the store', async () => {
      const store = await makeStore();
      if (name !== 'memory') await expect(async () => store.put('../x', Buffer.from('x'))).rejects.toThrow('not a key');
      await store.put('ok', Buffer.from('x'));
      expect(await textOf(store, 'ok')).toBe('x');
    });

    describe('a stage', () => {
      it('shows nothing under its key before it is published, and all of it then', async () => {
        const store = await makeStore();
        await using stage = await opened(store, 's1');
        await stage.append(Buffer.from('hello, '));
        await stage.append(Buffer.alloc(0));
        await stage.append(Buffer.from('stage'));
        expect(stage.size).toBe(12);
        expect(`${await collect(stage.read())}`).toBe('hello, stage');
        expect(await store.stat('deep/down/k')).toBeUndefined();
        await stage.publish('deep/down/k');
        expect(await textOf(store, 'deep/down/k')).toBe('hello, stage');
        expect(await store.staged('s1')).toBe(0);
      });

      it('leaves an object that is there where it is to be published only if absent, and goes on', async () => {
        const store = await makeStore();
        await store.put('k', Buffer.from('old'));
        await using stage = await opened(store, 's1');
        await stage.append(Buffer.from('new'));
        expect(await stage.publish('k', { ifAbsent: true })).toBe(false);
        expect(await textOf(store, 'k')).toBe('old');
        await stage.append(Buffer.from('er'));
        expect(await stage.publish('other/k', { ifAbsent: true, durable: 'nothing' })).toBe(true);
        expect(await textOf(store, 'other/k')).toBe('newer');
        expect(await store.staged('s1')).toBe(0);
      });

      it('lets one of many win that are published only if absent', async () => {
        const store = await makeStore();
        const publish = async (at: number) => {
          await using stage = await opened(store, `s${at}`);
          await stage.append(Buffer.from(`${at}`));
          const isPublished = await stage.publish('k', { ifAbsent: true });
          if (!isPublished) await stage.discard();
          return isPublished;
        };
        const won = (await Promise.all(Array.from({ length: 12 }, (_, at) => publish(at)))).indexOf(true);
        expect(await textOf(store, 'k')).toBe(`${won}`);
      });

      it('has written all of it when it is synced', async () => {
        const store = await makeStore();
        await using stage = await opened(store, 's1');
        await stage.append(Buffer.from('acknowledged'));
        await stage.sync();
        expect(stage.written).toBe(12);
        expect(await store.staged('s1')).toBe(12);
      });

      it('replaces an older object when it is published, which is another version then', async () => {
        const store = await makeStore();
        await store.put('k', Buffer.from('old'));
        const before = (await store.stat('k'))?.version;
        await using stage = await opened(store, 's1');
        await stage.append(Buffer.from('new'));
        expect(await stage.publish('k')).toBe(true);
        expect(await textOf(store, 'k')).toBe('new');
        expect((await store.stat('k'))?.version).not.toBe(before);
      });

      it('keeps its bytes for the next owner when disposed, and counts them', async () => {
        const store = await makeStore();
        const first = await opened(store, 's1');
        await first.append(Buffer.from('begun'));
        await first[Symbol.asyncDispose]();
        expect(await store.staged('s1')).toBe(5);
        await using second = await opened(store, 's1');
        expect(second.size).toBe(5);
        await second.append(Buffer.from(', done'));
        await second.publish('k');
        expect(await textOf(store, 'k')).toBe('begun, done');
      });

      it('loses its bytes when discarded', async () => {
        const store = await makeStore();
        const stage = await opened(store, 's1');
        await stage.append(Buffer.from('wrong'));
        await stage.discard();
        await stage.discard();
        expect(await store.staged('s1')).toBe(0);
        expect(await store.stage('s1', { mustExist: true })).toBeUndefined();
      });

      it('can be cut back and goes on from there', async () => {
        const store = await makeStore();
        await using stage = await opened(store, 's1');
        await stage.append(Buffer.from('good, bad'));
        await stage.truncate(6);
        await stage.append(Buffer.from('better'));
        expect(stage.size).toBe(12);
        await stage.publish('k');
        expect(await textOf(store, 'k')).toBe('good, better');
      });

      it('takes many chunks of all sizes', async () => {
        const store = await makeStore();
        await using stage = await opened(store, 's1');
        const chunks = Array.from({ length: 300 }, (_, at) => Buffer.alloc((at * 977) % 70_000, at));
        for (const chunk of chunks) await stage.append(chunk);
        await stage.publish('k');
        const body = await store.get('k');
        expect(body && Buffer.compare(await collect(body), Buffer.concat(chunks))).toBe(0);
      });

      it('is there empty for an owner that wants one to be there', async () => {
        const store = await makeStore();
        expect(await store.stage('s1', { mustExist: true })).toBeUndefined();
        await (await opened(store, 's1'))[Symbol.asyncDispose]();
        const again = await store.stage('s1', { mustExist: true });
        expect(again?.size).toBe(0);
        await again?.discard();
      });

      it('has one owner: others wait, each for its turn', async () => {
        const store = await makeStore();
        let owners = 0;
        let most = 0;
        const work = async () => {
          await using stage = await opened(store, 's1');
          owners += 1;
          most = Math.max(most, owners);
          await stage.append(Buffer.from('x'));
          await delay(5);
          owners -= 1;
        };
        await Promise.all(Array.from({ length: 6 }, work));
        expect(most).toBe(1);
        expect(await store.staged('s1')).toBe(6);
      });

      it('is undefined for who waited for one that must exist and was published', async () => {
        const store = await makeStore();
        const owner = await opened(store, 's1');
        const waiting = store.stage('s1', { mustExist: true });
        await delay(10);
        await owner.publish('k');
        expect(await waiting).toBeUndefined();
      });

      it('stops waiting when told to', async () => {
        const store = await makeStore();
        await using _owner = await opened(store, 's1');
        const controller = new AbortController();
        const waiting = store.stage('s1', { signal: controller.signal });
        controller.abort(new Error('enough'));
        await expect(waiting).rejects.toThrow('enough');
      });

      it('is swept when it is old and nobody owns it', async () => {
        const store = await makeStore();
        const old = await opened(store, 'old');
        await old.append(Buffer.from('x'));
        await old[Symbol.asyncDispose]();
        await using owned = await opened(store, 'owned');
        await owned.append(Buffer.from('x'));
        await store.sweep({ before: new Date(Date.now() - 60_000) });
        expect(await store.staged('old')).toBe(1);
        await store.sweep({ before: new Date(Date.now() + 60_000) });
        expect(await store.staged('old')).toBe(0);
        await owned.publish('k');
        expect(await textOf(store, 'k')).toBe('x');
      });

      it('is swept when there are too many, or too many bytes of them: those that were written to last stay', async () => {
        const store = await makeStore();
        const ids = Array.from({ length: 9 }, (_, at) => `s${at}`);
        for (const id of ids) {
          await using stage = await opened(store, id);
          await stage.append(Buffer.alloc(10));
          await stage.sync();
          await delay(15);
        }
        const before = new Date(0);
        await using _owned = await opened(store, 's0');
        const held = async () => Promise.all(ids.map((id) => store.staged(id)));
        await store.sweep({ before, most: 5 });
        expect(await held()).toEqual([10, 0, 0, 0, 10, 10, 10, 10, 10]);
        expect(await store.sweep({ before, bytes: 30 })).toBe(40);
        expect(await held()).toEqual([10, 0, 0, 0, 0, 0, 10, 10, 10]);
      });

      it('is spared, whatever number and bytes come to, where it was written to lately', async () => {
        const store = await makeStore();
        for (const [id, size] of Object.entries({ empty: 0, s0: 10, s1: 20 })) {
          await using stage = await opened(store, id);
          await stage.append(Buffer.alloc(size));
        }
        const limits = { before: new Date(0), most: 1, bytes: 5 };
        expect(await store.sweep({ ...limits, spared: new Date(Date.now() - 60_000) })).toBe(30);
        await (await store.stage('empty', { mustExist: true }))?.[Symbol.asyncDispose]();
        expect(await store.sweep({ ...limits, spared: new Date(Date.now() + 60_000) })).toBe(20);
        expect(await store.stage('empty', { mustExist: true })).toBeUndefined();
      });

      it('is not swept for its bytes where it has none', async () => {
        const store = await makeStore();
        for (const [id, size] of Object.entries({ empty: 0, full: 10, last: 10 })) {
          await using stage = await opened(store, id);
          await stage.append(Buffer.alloc(size));
          await stage.sync();
          await delay(15);
        }
        expect(await store.sweep({ before: new Date(0), bytes: 5 })).toBe(10);
        await using empty = await store.stage('empty', { mustExist: true });
        expect(empty?.size).toBe(0);
        expect([await store.staged('full'), await store.staged('last')]).toEqual([0, 10]);
      });
    });
  });
}

async function opened(store: ObjectStore, id: string): Promise<Stage> {
  const stage = await store.stage(id);
  if (!stage) throw new Error('no stage');
  return stage;
}

async function textOf(store: ObjectStore, key: string): Promise<string | undefined> {
  const body = await store.get(key);
  return body && `${await collect(body)}`;
}
