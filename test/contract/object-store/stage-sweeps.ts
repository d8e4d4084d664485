// The contract of ObjectStore: stages that nobody owns are swept.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type MakeObjectStore, opened, textOf } from './suite.ts';

export function stageSweeps(makeStore: MakeObjectStore): void {
  describe('a stage', () => {
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

    it('is spared if it was written to lately, whatever their number and bytes', async () => {
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

    it('is not swept for its bytes if it has none', async () => {
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
}
