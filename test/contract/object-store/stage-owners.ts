// The contract of ObjectStore: a stage has one owner at a time.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type MakeObjectStore, opened } from './suite.ts';

export function stageOwners(makeStore: MakeObjectStore): void {
  describe('a stage', () => {
    it('that was left empty is there for a caller with mustExist', async () => {
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

    it('that is published is undefined for a caller with mustExist that waited for it', async () => {
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
  });
}
