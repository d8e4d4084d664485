// The contract of Objects, for every driver: a directory, memory, and future ones.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Objects } from '../../src/storage/objects.ts';
import { eventually } from '../testing/eventually.ts';

/** Each call of `makeObjects` returns an empty store. */
export function objectsContract(name: string, makeObjects: () => Promise<Objects>): void {
  describe(`${name} as a store of small objects`, () => {
    it('gives back what was put', async () => {
      const objects = await makeObjects();
      expect(await objects.put('a/b', Buffer.from('one'))).toBe(true);
      expect(await textOf(objects, 'a/b')).toBe('one');
      expect(await objects.stat('a/b')).toMatchObject({ key: 'a/b', size: 3 });
    });

    it('has nothing under keys that were not put, nor under a prefix of one', async () => {
      const objects = await makeObjects();
      await objects.put('a/b/c', Buffer.from('x'));
      for (const key of ['z', 'a', 'a/b', 'a/b/c/d']) {
        expect(await objects.get(key)).toBeUndefined();
        expect(await objects.stat(key)).toBeUndefined();
      }
    });

    it('replaces an object, or leaves it with ifAbsent', async () => {
      const objects = await makeObjects();
      await objects.put('k', Buffer.from('one'));
      expect(await objects.put('k', Buffer.from('two'), { ifAbsent: true })).toBe(false);
      expect(await textOf(objects, 'k')).toBe('one');
      expect(await objects.put('k', Buffer.from('three'), { volatile: true })).toBe(true);
      expect(await textOf(objects, 'k')).toBe('three');
      expect(await objects.put('new/k', Buffer.from('four'), { ifAbsent: true })).toBe(true);
      expect(await textOf(objects, 'new/k')).toBe('four');
    });

    it('gives each object that is put another version, also one with the same bytes', async () => {
      const objects = await makeObjects();
      const versions = new Set<string | undefined>();
      for (let round = 0; round < 4; round++) {
        await objects.put('k', Buffer.from('same'));
        versions.add((await objects.stat('k'))?.version);
        await delay(5);
      }
      expect(versions.size).toBe(4);
      expect((await objects.stat('k'))?.version).toBe((await objects.stat('k'))?.version);
    });

    it('lets one of many win that put with ifAbsent at once', async () => {
      const objects = await makeObjects();
      const puts = Array.from({ length: 12 }, (_, at) => objects.put('r/k', Buffer.from(`${at}`), { ifAbsent: true }));
      const won = (await Promise.all(puts)).flatMap((result, at) => (result ? [at] : []));
      expect(won).toHaveLength(1);
      expect(await textOf(objects, 'r/k')).toBe(`${won[0]}`);
    });

    it('shows the old object or the new one while one is put', async () => {
      const objects = await makeObjects();
      const texts = ['a'.repeat(70_000), 'b'.repeat(50_000)];
      await objects.put('k', Buffer.from(texts[0] ?? ''));
      let isWriting = true;
      const write = async () => {
        for (let round = 0; round < 20; round++) await objects.put('k', Buffer.from(texts[round % 2] ?? ''));
        isWriting = false;
      };
      const read = async () => {
        while (isWriting) {
          expect(texts).toContain(await textOf(objects, 'k'));
          // A store that answers at once would leave the writer no turn.
          await delay(0);
        }
      };
      await Promise.all([write(), read(), read()]);
    });

    it('holds empty objects', async () => {
      const objects = await makeObjects();
      await objects.put('k', Buffer.alloc(0));
      expect(await objects.stat('k')).toMatchObject({ size: 0 });
      expect(await textOf(objects, 'k')).toBe('');
    });

    it('does not change with the bytes of the caller afterwards', async () => {
      const objects = await makeObjects();
      const bytes = Buffer.from('one');
      await objects.put('k', bytes);
      bytes.fill('x');
      expect(await textOf(objects, 'k')).toBe('one');
    });

    it('lists keys in byte order, across levels', async () => {
      const objects = await makeObjects();
      const keys = ['p/a-b/x', 'p/a/x', 'p/a.b', 'p/a0', 'p/B', 'p/_z', 'q/other'];
      for (const key of keys) await objects.put(key, Buffer.from(key));
      const wanted = keys.filter((key) => key.startsWith('p/')).sort();
      expect((await Array.fromAsync(objects.list('p/'))).map((info) => info.key)).toEqual(wanted);
      for (const [at, after] of wanted.entries()) {
        const found = await Array.fromAsync(objects.list('p/', after));
        expect(found.map((info) => info.key)).toEqual(wanted.slice(at + 1));
      }
      expect(await Array.fromAsync(objects.list('none/'))).toEqual([]);
    });

    it('says whether there is anything below a prefix', async () => {
      const objects = await makeObjects();
      await objects.put('p/a/b/c', Buffer.from('x'));
      for (const prefix of ['p/', 'p/a/', 'p/a/b/']) expect(await objects.any(prefix), prefix).toBe(true);
      for (const prefix of ['q/', 'p/a/b/c/', 'p/b/']) expect(await objects.any(prefix), prefix).toBe(false);
    });

    it('names the children of a prefix, those with more below them with a slash', async () => {
      const objects = await makeObjects();
      for (const key of ['p/b/1', 'p/b/2', 'p/a', 'p/b-c/1']) await objects.put(key, Buffer.from(key));
      expect(await objects.children('p/')).toEqual(['a', 'b-c/', 'b/']);
      expect(await objects.children('none/')).toEqual([]);
    });

    it('deletes objects, and prefixes whole; what is not there is no error', async () => {
      const objects = await makeObjects();
      for (const key of ['p/a', 'p/b/c', 'p/b/d', 'p/bb']) await objects.put(key, Buffer.from(key));
      await objects.delete(['p/a', 'p/none', 'none/none']);
      expect(await objects.get('p/a')).toBeUndefined();
      await objects.deleteAll('p/b/');
      await objects.deleteAll('none/');
      expect((await Array.fromAsync(objects.list('p/'))).map((info) => info.key)).toEqual(['p/bb']);
      await objects.delete(['p/bb']);
      expect(await objects.children('p/')).toEqual([]);
      await objects.put('p/b/c', Buffer.from('again'));
      expect(await textOf(objects, 'p/b/c')).toBe('again');
    });

    it('touches an object: it counts as just used, and has its bytes', async () => {
      const objects = await makeObjects();
      await objects.put('k', Buffer.from('x'));
      const before = (await objects.stat('k'))?.modified.getTime() ?? 0;
      // A driver's clock may have ticks, of a second even.
      await eventually(async () => {
        expect(await objects.touch('k')).toBe(true);
        return ((await objects.stat('k'))?.modified.getTime() ?? 0) > before;
      });
      expect(await textOf(objects, 'k')).toBe('x');
      expect(await objects.touch('none')).toBe(false);
      expect(await objects.stat('none')).toBeUndefined();
    });

    it('syncs keys, also unknown ones', async () => {
      const objects = await makeObjects();
      await objects.put('a/b/c', Buffer.from('x'), { ifAbsent: true });
      await objects.sync(['a/b/c', 'none/none']);
      await objects.sync([]);
      expect(await textOf(objects, 'a/b/c')).toBe('x');
    });
  });
}

async function textOf(objects: Objects, key: string): Promise<string | undefined> {
  const bytes = await objects.get(key);
  return bytes && Buffer.from(bytes).toString();
}
