// The contract of ObjectStore: the bytes of a stage, until they are published or discarded.
import { describe, expect, it } from 'vitest';
import { collect } from '../content.ts';
import { type MakeObjectStore, opened, textOf } from './suite.ts';

export function stages(makeStore: MakeObjectStore): void {
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

    it('leaves an existing object when it is published with ifAbsent, and goes on', async () => {
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

    it('wins alone of many that are published with ifAbsent', async () => {
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
  });
}
