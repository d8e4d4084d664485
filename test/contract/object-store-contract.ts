// The contract of ObjectStore beyond that of Objects (objects-contract.ts): stages, moves, ranges. For the file system and memory.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { collect } from './content.ts';
import { stageOwners } from './object-store/stage-owners.ts';
import { stageSweeps } from './object-store/stage-sweeps.ts';
import { stages } from './object-store/stages.ts';
import { type MakeObjectStore, textOf } from './object-store/suite.ts';

/** Each call of `makeStore` returns an empty store. */
export function objectStoreContract(name: string, makeStore: MakeObjectStore): void {
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

    stages(makeStore);
    stageOwners(makeStore);
    stageSweeps(makeStore);
  });
}
