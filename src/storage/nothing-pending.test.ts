// When a call returns, none of its operations on the store is still running. Otherwise an acknowledgement could come before the write.
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { blobOf, bytesOf, chunked, imageOf, indexOf, opener, pushImage } from '../../test/contract/content.ts';
import { manifestDescriptor } from '../oci/manifest.ts';
import { forgettingNames } from '../registry/policies/forgetting-names.ts';
import { hostNames } from '../registry/policies/host-names.ts';
import { builtImages } from './builds/built-images.ts';
import { storedIndex } from './builds/layer-indexes.ts';
import { looseBlobs } from './builds/loose-blobs.ts';
import { stagedStore } from './drivers/staged-store.ts';
import { blobKey, markKey } from './layout/registry-keys.ts';
import { createMemoryObjectStore } from './object-store/memory-object-store.ts';
import type { ObjectStore, Stage } from './object-store/object-store.ts';
import { nameRecords } from './repositories/name-records.ts';
import { withUnneeded } from './repositories/remove-name.ts';
import { storedRegistry } from './repositories/stored-registry.ts';

const BLOB = blobOf(bytesOf('layer', 5000));
const OTHER = blobOf(bytesOf('other', 3000));
const { digest } = BLOB.descriptor;
const image = imageOf('one');

/** In turns of the event loop. Writes take longer than reads, so that a read after a write does not hide that nobody waited for the write. */
const READS = 1;
const WRITES = 10;

/** A store with slow operations, which lists those that are still running. */
function slowStore() {
  const inner = createMemoryObjectStore();
  const pending = new Map<number, string>();
  let calls = 0;
  const slow =
    <Args extends unknown[], Result>(name: string, call: (...args: Args) => Promise<Result>, time = WRITES) =>
    async (...args: Args): Promise<Result> => {
      const id = calls++;
      pending.set(id, `${name} ${args.map(String).join(' ')}`);
      try {
        for (let turn = 0; turn < time; turn++) await setImmediate();
        return await call(...args);
      } finally {
        pending.delete(id);
      }
    };
  const slowStage = (stage: Stage): Stage => ({
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
    flush: slow('flush', () => stage.flush()),
    read: () => stage.read(),
    reader: slow('reader', () => stage.reader(), READS),
    append: slow('append', (chunk: Uint8Array) => stage.append(chunk)),
    sync: slow('sync of a stage', () => stage.sync()),
    truncate: slow('truncate', (size: number) => stage.truncate(size)),
    publish: slow('publish', (...args: Parameters<Stage['publish']>) => stage.publish(...args)),
    discard: slow('discard', () => stage.discard()),
    [Symbol.asyncDispose]: slow('release', async () => stage[Symbol.asyncDispose](), READS),
  });
  const slowObjects: ObjectStore = {
    ...inner,
    get: slow('get', inner.get, READS),
    stat: slow('stat', inner.stat, READS),
    put: slow('put', inner.put),
    sync: slow('sync', inner.sync),
    touch: slow('touch', inner.touch),
    move: slow('move', inner.move),
    delete: slow('delete', inner.delete),
    deleteAll: slow('deleteAll', inner.deleteAll),
    sweep: slow('sweep', inner.sweep),
    stage: slow('stage', async (...args: Parameters<ObjectStore['stage']>) => {
      const stage = await inner.stage(...args);
      return stage && slowStage(stage);
    }),
  };
  const { objects, blobs } = stagedStore(slowObjects);
  const names = nameRecords(objects);
  const stripped = storedRegistry({ objects, blobs }, { mostUnfinished: 4, graceMs: 0 });
  const registry = hostNames(forgettingNames(stripped, names), names);
  return { objects, blobs, registry, stripped, names, pending: () => [...pending.values()] };
}

type Store = ReturnType<typeof slowStore>;

/** Uploads a part of the blob. Returns the upload's id. */
async function begin({ registry }: Store): Promise<string> {
  await using upload = await registry.openUpload('a');
  await upload.append(chunked(BLOB.bytes.subarray(0, 2000)));
  return upload.id;
}

async function build({ blobs }: Store): Promise<void> {
  await using blob = await looseBlobs(blobs).start();
  await blob.append(Buffer.from(BLOB.bytes));
  await blob.finish(digest);
}

const push = async ({ registry }: Store) => pushImage(registry, 'a', image, ['1', '2']);
const put = async ({ registry }: Store) => registry.putBlob('a', BLOB.descriptor, opener(BLOB.bytes));
const nothing = async () => undefined;
const damage = ({ objects }: Store) => objects.put(blobKey(digest), Buffer.alloc(BLOB.bytes.length));
const doubt = ({ objects }: Store) => objects.put(markKey(digest), Buffer.from('doubtful'));

/** For each call: the preparation, and the call itself. */
const CALLS: Readonly<
  Record<string, readonly [(store: Store) => Promise<unknown>, (store: Store) => Promise<unknown>]>
> = {
  'a blob that is put': [nothing, put],
  'a blob that is there': [put, ({ registry }) => registry.putBlob('b', BLOB.descriptor, opener(BLOB.bytes))],
  'a blob whose bytes are wrong': [
    nothing,
    ({ registry }) => registry.putBlob('a', BLOB.descriptor, opener(OTHER.bytes)).catch(() => undefined),
  ],
  'a blob that is mounted': [put, ({ registry }) => registry.mountBlob('b', digest, 'a')],
  'a blob that is deleted': [put, ({ registry }) => registry.deleteBlob('a', digest)],
  'a chunk': [nothing, begin],
  'an upload that is ended': [
    nothing,
    async ({ registry }) => {
      await using upload = await registry.openUpload('a');
      await upload.append(chunked(BLOB.bytes));
      await upload.commit(digest);
    },
  ],
  'an upload of wrong bytes': [
    nothing,
    async ({ registry }) => {
      await using upload = await registry.openUpload('a');
      await upload.append(chunked(OTHER.bytes));
      await upload.commit(digest).catch(() => undefined);
    },
  ],
  'an upload that is cancelled': [
    nothing,
    async ({ registry }) => {
      await using upload = await registry.openUpload('a');
      await upload.append(chunked(BLOB.bytes));
      await upload.cancel();
    },
  ],
  'more uploads than may be left': [
    nothing,
    async (store) => {
      for (let count = 0; count < 12; count++) await begin(store);
    },
  ],
  'an image that is pushed': [nothing, push],
  'an image that is pushed again': [push, push],
  'a manifest with a subject': [
    push,
    ({ registry }) => registry.putManifest('a', indexOf([], { subject: manifestDescriptor(image.manifest) }), ['r']),
  ],
  'a tag that is moved': [push, async ({ registry }) => pushImage(registry, 'a', imageOf('two'), ['1'])],
  'a tag that is deleted': [
    async (store) => {
      await push(store);
      await store.names.set('quay.io', 'a', '1', image.manifest.digest);
    },
    ({ registry }) => registry.deleteTag('a', '1'),
  ],
  'a manifest that is deleted': [push, ({ registry }) => registry.deleteManifest('a', image.manifest.digest)],
  'an image with all that only it needs': [
    async (store) => {
      await push(store);
      const subject = manifestDescriptor(image.manifest);
      await store.registry.putManifest('a', indexOf([], { subject }), []);
    },
    async (store) => {
      const { digest: removed } = image.manifest;
      const remove = async () => {
        await store.registry.deleteTag('a', '1');
        await store.registry.deleteTag('a', '2');
        return true;
      };
      await withUnneeded({ digest: removed, tag: '1' }, { store, repository: 'a' }, remove);
      expect(store.pending()).toEqual([]);
      expect(await store.registry.statManifest('a', removed)).toBeUndefined();
    },
  ],
  'a name that is recorded': [nothing, ({ names }) => names.set('quay.io', 'a', '1', digest)],
  'a name that is forgotten': [
    ({ names }) => names.set('quay.io', 'a', '1', digest),
    ({ names }) => names.delete('quay.io', 'a', '1'),
  ],
  'a blob that is built': [nothing, build],
  'a blob that is built where it is damaged': [
    async (store) => {
      await put(store);
      await damage(store);
    },
    build,
  ],
  'a loose blob that is put': [nothing, ({ blobs }) => looseBlobs(blobs).put(BLOB.descriptor, opener(BLOB.bytes))],
  'a built blob that is relied on': [build, ({ blobs }) => blobs.use(digest, { durable: true })],
  'a blob in doubt': [
    async (store) => {
      await put(store);
      await doubt(store);
    },
    ({ registry }) => registry.statBlob('a', digest),
  ],
  'a damaged blob in doubt': [
    async (store) => {
      await put(store);
      await damage(store);
      await doubt(store);
    },
    ({ registry }) => registry.statBlob('a', digest),
  ],
  'wrong bytes that a reader meets': [
    async (store) => {
      await put(store);
      await damage(store);
    },
    async ({ registry }) => {
      const { body } = await registry.getBlob('a', digest, { verify: true });
      await Array.fromAsync(body).catch(() => undefined);
    },
  ],
  'an image that was built': [build, (store) => builtImages(store).record({ path: 'built', tag: '1' }, image.manifest)],
  'what is in a layer': [nothing, ({ objects }) => storedIndex(objects, digest).save(Buffer.from('index'))],
};

describe('nothing is still going on after', () => {
  it.each(Object.entries(CALLS))('%s', async (_, [prepare, call]) => {
    const store = slowStore();
    await prepare(store);
    await call(store);
    expect(store.pending()).toEqual([]);
  });
});
