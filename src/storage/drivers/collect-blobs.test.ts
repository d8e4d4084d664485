// What the collector of a directory and of memory does besides the contract: what it puts aside, uses on record, marks, failures.
import { describe, expect, it } from 'vitest';
import { blobOf, bytesOf, opener } from '../../../test/contract/content.ts';
import { ImagesError } from '../../oci/errors.ts';
import { KEPT_MS } from '../blobs.ts';
import { blobKey, markKey } from '../layout/registry-keys.ts';
import { ASIDE, asideKey, layerIndexKey, usedKey } from '../layout/store-keys.ts';
import { openFsObjectStore } from '../object-store/fs-object-store.ts';
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { ofDeadProcess } from '../testing/collect-scenes.ts';
import { setBack, testDirectory } from '../testing/directories.ts';
import { killable, wasKilled } from '../testing/killable.ts';
import { PUSHERS, type Pusher, readBack } from '../testing/pushers.ts';
import { stagedStore } from './staged-store.ts';

const BLOB = blobOf(bytesOf('layer', 3000));
const { digest } = BLOB.descriptor;
const DEAD = asideKey(digest, '1.1.dead.1');

describe.each(['memory', 'a directory'])('a blob in %s', (place) => {
  /** With the blob, which nobody has used for days. `wait`: lets days pass. */
  async function oldBlob(bring: Pusher = PUSHERS.put) {
    const directory = await testDirectory();
    let passed = 0;
    const clock = { now: () => new Date(Date.now() + passed) };
    const objects = place === 'memory' ? createMemoryObjectStore(clock) : openFsObjectStore(directory.path);
    const storeOver = (its: ObjectStore) => stagedStore(its, place === 'memory' ? clock : {});
    const store = storeOver(objects);
    await bring(store, BLOB);
    const wait = async () => {
      if (place === 'memory') passed += 10 * KEPT_MS;
      else await setBack(directory.path, 10 * KEPT_MS);
    };
    await wait();
    const seen = await Array.fromAsync(store.blobs.all());
    return {
      objects,
      blobs: store.blobs,
      storeOver,
      seen,
      wait,
      [Symbol.asyncDispose]: directory[Symbol.asyncDispose],
    };
  }

  it('that was deleted leaves nothing: no mark, no folder, nothing aside', async () => {
    await using store = await oldBlob(PUSHERS.build);
    expect(await store.objects.stat(markKey(digest))).toBeDefined();
    expect(await store.blobs.collect(store.seen)).toHaveLength(1);
    expect(await Array.fromAsync(store.objects.list(''))).toEqual([]);
    expect(await store.objects.children('')).not.toContain('docker/');
  });

  it('that was used by a process which cannot set its time is spared for a day', async () => {
    await using store = await oldBlob();
    const touch = async () => {
      throw new ImagesError('NO_ACCESS', 'it is of another user');
    };
    const theirs = store.storeOver({ ...store.objects, touch });
    expect(await theirs.blobs.use(digest, { durable: true })).toBeDefined();
    expect(await store.objects.stat(usedKey(digest))).toBeDefined();
    expect(await store.blobs.collect(store.seen)).toEqual([]);
    await readBack(store.blobs, BLOB);
  });

  it.each(['READ_ONLY', 'NO_ACCESS'] as const)(
    'that a collector left aside counts as absent where nothing can be written (%s)',
    async (code) => {
      await using store = await oldBlob();
      await store.objects.move(blobKey(digest), DEAD);
      const refused = async () => {
        throw new ImagesError(code, 'it cannot be written to');
      };
      const { blobs } = store.storeOver({
        ...store.objects,
        move: refused,
        put: refused,
        touch: refused,
        stage: refused,
      });
      expect(await blobs.find(digest)).toBeUndefined();
      expect(await Array.fromAsync(blobs.all())).toEqual([]);
      await readBack(store.blobs, BLOB);
    },
  );

  it('that a killed collector left aside is there again for whoever asks for it, and for the next collection', async () => {
    await using store = await oldBlob();
    for (const ask of [
      () => store.blobs.find(digest),
      () => store.blobs.use(digest),
      () => store.blobs.read(digest),
      async () => (await Array.fromAsync(store.blobs.all()))[0],
    ]) {
      await store.objects.move(blobKey(digest), DEAD);
      expect(await ask()).toBeDefined();
      expect(await store.objects.children(ASIDE)).toEqual([]);
    }
  });

  it('that a killed collector left aside does not replace what was written since', async () => {
    await using store = await oldBlob();
    await store.objects.put(DEAD, Buffer.from('of the one before'));
    await readBack(store.blobs, BLOB);
    expect(await Array.fromAsync(store.blobs.all())).toHaveLength(1);
    expect(await store.objects.children(ASIDE)).toEqual([]);
    await readBack(store.blobs, BLOB);
  });

  it('leaves nothing at the next collection, at whatever call the first one was killed', async () => {
    let isKilled = true;
    for (let calls = 0; isKilled; calls++) {
      await using store = await oldBlob(PUSHERS.build);
      await store.objects.put(usedKey(digest), new Uint8Array());
      await store.objects.put(layerIndexKey(digest), Buffer.from('what is in it'));
      await store.wait();
      const { objects, killAfter, bury } = killable(store.objects);
      killAfter(calls);
      const collecting = store.storeOver(ofDeadProcess(objects)).blobs.collect(store.seen);
      isKilled = await collecting.then(() => false, wasKilled);
      await bury();
      await store.wait();
      await store.blobs.collect(await Array.fromAsync(store.blobs.all()));
      expect(await Array.fromAsync(store.objects.list(''))).toEqual([]);
      expect(await store.objects.children('docker/')).toEqual([]);
    }
  });

  it('keeps its records while it is there, and those of the last day without it', async () => {
    await using store = await oldBlob();
    const records = [usedKey(digest), layerIndexKey(digest)];
    for (const key of records) await store.objects.put(key, new Uint8Array());
    await store.wait();
    const kept = async () => {
      await Array.fromAsync(store.blobs.all());
      return await Promise.all(records.map(async (key) => (await store.objects.stat(key)) !== undefined));
    };
    expect(await kept()).toEqual([true, true]);
    await store.objects.delete([blobKey(digest)]);
    await store.objects.put(usedKey(digest), Buffer.from('of now'));
    expect(await kept()).toEqual([true, false]);
  });

  it('that was deleted leaves a mark for a day, if the collector was killed, and wherever nothing can be written', async () => {
    await using store = await oldBlob(PUSHERS.build);
    await store.objects.delete([blobKey(digest)]);
    const refused = async () => {
      throw new ImagesError('READ_ONLY', 'it cannot be written to');
    };
    const { blobs } = store.storeOver({ ...store.objects, stage: refused, delete: refused });
    expect(await Array.fromAsync(blobs.all())).toEqual([]);
    expect(await store.objects.stat(markKey(digest))).toBeDefined();
    await store.objects.put(markKey(digest), Buffer.from('of now'));
    if (place === 'a directory') expect(await Array.fromAsync(store.blobs.all())).toEqual([]);
    expect(await store.objects.stat(markKey(digest))).toBeDefined();
  });

  it('is moved back if looking at it, or deleting it, fails', async () => {
    await using store = await oldBlob();
    for (const method of ['stat', 'delete'] as const) {
      const failing: ObjectStore = {
        ...store.objects,
        [method]: async (what: string & readonly string[]) => {
          if (`${what}`.startsWith(ASIDE)) throw new Error('input/output error');
          return await store.objects[method](what);
        },
      };
      await expect(store.storeOver(failing).blobs.collect(store.seen)).rejects.toThrow('input/output error');
      expect(await store.objects.children(ASIDE)).toEqual([]);
      await readBack(store.blobs, BLOB);
    }
  });

  it('that is written again has no mark of the one that was deleted', async () => {
    await using store = await oldBlob();
    await store.blobs.doubt(digest);
    expect(await store.blobs.collect(store.seen)).toHaveLength(1);
    expect(await store.objects.stat(markKey(digest))).toBeUndefined();
    await store.blobs.write(BLOB.descriptor, opener(BLOB.bytes));
    await readBack(store.blobs, BLOB);
  });
});
