import { beforeEach, expect, it } from 'vitest';
import {
  blobOf,
  breakingOpener,
  bytesOf,
  chunked,
  imageOf,
  opener,
  pushImage,
} from '../../../test/contract/content.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { memoryStore } from '../drivers/staged-store.ts';
import { ADDED, SPACE_KEY } from '../layout/store-keys.ts';
import { registryStore } from '../registry-store.ts';
import type { Store } from '../store.ts';
import { type LimitedStore, withQuota } from './quota.ts';

const [first, second] = ['first', 'second'].map((seed) => blobOf(bytesOf(seed, 6000)));
if (!first || !second) throw new Error('there are two');
const OVER = {
  code: 'NO_SPACE',
  isPublic: true,
  message: 'the quota of the registry is reached: 5.9 KiB of 9.8 KiB are used, 5.9 KiB more do not fit',
};

let limit: number | undefined = 10_000;
let now = 0;
let data: Store;
let store: LimitedStore;
beforeEach(() => {
  limit = 10_000;
  now = 1e12;
  data = memoryStore();
  store = withQuota(data, async () => limit, { now: () => now });
});

/** What is really there. */
async function counted(): Promise<number> {
  let bytes = await data.blobs.sweep({ before: new Date(0) });
  for await (const { size } of data.blobs.all()) bytes += size;
  return bytes;
}

async function* streamed(bytes: Buffer, seen: number[] = []): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunked(bytes, 1000)) {
    seen.push(chunk.length);
    yield chunk;
  }
}

const session = async (id: string) => (await store.blobs.session(id)) ?? expect.fail();

it('a blob that does not fit is refused before it is opened; what is there needs no space', async () => {
  await store.blobs.write(first.descriptor, opener(first.bytes));
  const asked: number[] = [];
  await expect(store.blobs.write(second.descriptor, opener(second.bytes, asked))).rejects.toMatchObject(OVER);
  expect(asked).toEqual([]);
  await store.blobs.write(first.descriptor, opener(first.bytes));
  expect(await store.space.used()).toBe(6000);
});

it('an upload of known length is refused before its first byte, and leaves nothing', async () => {
  await store.blobs.write(first.descriptor, opener(first.bytes));
  const seen: number[] = [];
  await using upload = await session('upload-a');
  await expect(upload.append(streamed(second.bytes, seen), { length: 6000 })).rejects.toMatchObject(OVER);
  expect([seen, await counted(), await store.space.used()]).toEqual([[], 6000, 6000]);
});

it('an upload of unknown length is refused at the chunk that does not fit, and its bytes are free at once', async () => {
  await store.blobs.write(first.descriptor, opener(first.bytes));
  const seen: number[] = [];
  await using upload = await session('upload-a');
  await expect(upload.append(streamed(second.bytes, seen))).rejects.toMatchObject({ code: 'NO_SPACE' });
  expect([seen.length, await counted(), await store.space.used()]).toEqual([5, 6000, 6000]);
});

it('a full store begins no upload, but reads, and takes what is there', async () => {
  limit = 6000;
  await store.blobs.write(first.descriptor, opener(first.bytes));
  await expect(store.blobs.session('upload-b')).rejects.toMatchObject({ code: 'NO_SPACE' });
  expect(await store.blobs.find(first.descriptor.digest)).toBeDefined();
  await store.blobs.put(first.descriptor.digest, first.bytes, async () => []);
});

it('what fails, is cancelled, or was there already is not counted', async () => {
  await expect(store.blobs.write(first.descriptor, breakingOpener(first.bytes, 2000))).rejects.toThrow('reset');
  expect(await store.space.used()).toBe(await counted());
  await store.blobs.write(first.descriptor, opener(first.bytes));
  for (const end of ['commit', 'cancel', 'wrong'] as const) {
    limit = 20_000;
    await using upload = await session(`upload-${end}`);
    await upload.append(streamed(first.bytes), { length: 6000 });
    if (end === 'cancel') await upload.cancel();
    else if (end === 'commit') await upload.commit(first.descriptor.digest, async () => []);
    else await upload.commit(second.descriptor.digest, async () => []).catch(() => undefined);
    expect([end, await counted(), await store.space.used()]).toEqual([end, 6000, 6000]);
  }
  for (const end of ['finish', 'drop']) {
    await using started = await store.blobs.start();
    await started.append(Uint8Array.from(first.bytes));
    if (end === 'finish') await started.finish(first.descriptor.digest);
  }
  expect([await counted(), await store.space.used()]).toEqual([6000, 6000]);
});

it('writers at the same time do not exceed it together', async () => {
  const results = await Promise.allSettled(
    [first, second].map(({ descriptor, bytes }) => store.blobs.write(descriptor, opener(bytes))),
  );
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(await counted()).toBe(6000);
});

it('another process knows what was added, and the sum is counted anew when it is old', async () => {
  const other = withQuota(data, async () => limit, { now: () => now });
  expect(await other.space.used()).toBe(0);
  await store.blobs.write(first.descriptor, opener(first.bytes));
  now += 2000;
  expect(await other.space.used()).toBe(6000);
  await data.blobs.write(second.descriptor, opener(second.bytes));
  now += 2000;
  expect(await other.space.used()).toBe(6000);
  now += 2 * 3600_000;
  await other.space.used();
  expect(await other.space.recount()).toBe(12_000);
});

it('two processes that add at the same moment lose nothing of it', async () => {
  limit = 1_000_000;
  const other = withQuota(data, async () => limit, { now: () => now });
  await Promise.all([store.space.used(), other.space.used()]);
  const blobs = Array.from({ length: 10 }, (_, at) => blobOf(bytesOf(`both ${at}`, 5000)));
  await Promise.all(
    blobs.map(({ descriptor, bytes }, at) => (at % 2 === 0 ? store : other).blobs.write(descriptor, opener(bytes))),
  );
  now += 1000;
  const third = withQuota(data, async () => limit, { now: () => now });
  expect(await Promise.all([store, other, third].map(({ space }) => space.used()))).toEqual([50_000, 50_000, 50_000]);
});

it('what another process adds during a count is not lost', async () => {
  limit = 1_000_000;
  const other = withQuota(data, async () => limit, { now: () => now });
  await other.space.used();
  const counting = Promise.withResolvers<void>();
  async function* all(): ReturnType<Store['blobs']['all']> & AsyncGenerator<never> {
    for await (const blob of data.blobs.all()) yield blob as never;
    counting.resolve();
    await other.blobs.write(first?.descriptor ?? expect.fail(), opener(first?.bytes ?? Buffer.alloc(0)));
  }
  const counter = withQuota({ ...data, blobs: { ...data.blobs, all } }, async () => limit, { now: () => now });
  expect(await counter.space.recount()).toBe(6000);
  now += 1000;
  expect(await other.space.used()).toBe(6000);
});

it('writers that have ended leave no more than some objects', async () => {
  limit = 1_000_000;
  await store.space.used();
  for (let at = 0; at < 70; at++) await data.objects.put(`${ADDED}1.1.dead.${at}`, Buffer.from('100'));
  now += 1000;
  expect(await store.space.used()).toBe(7000);
  now += 60_000;
  await store.space.used();
  await store.space.recounted();
  expect([await store.space.used(), (await data.objects.children(ADDED)).length]).toEqual([0, 0]);
});

it('a full disk does not have the store counted again and again', async () => {
  let counts = 0;
  async function* all(): ReturnType<Store['blobs']['all']> & AsyncGenerator<never> {
    counts += 1;
    yield* data.blobs.all() as AsyncGenerator<never>;
  }
  const put = () => Promise.reject(new ImagesError('NO_SPACE', 'full'));
  const full = { objects: { ...data.objects, put }, blobs: { ...data.blobs, all } };
  const { space } = withQuota(full, async () => limit, { now: () => now });
  for (let at = 0; at < 5; at++) {
    await space.used();
    now += 1000;
  }
  expect(counts).toBe(1);
});

it('is counted before a write is refused, because others may have freed space', async () => {
  await store.blobs.write(first.descriptor, opener(first.bytes));
  // The sum says more than there is.
  await store.space.add(3900, limit ?? 0);
  now += 61_000;
  limit = 12_000;
  await store.blobs.write(second.descriptor, opener(second.bytes));
  expect(await store.space.used()).toBe(12_000);
});

it('nothing is counted without a quota', async () => {
  limit = undefined;
  const { registry } = registryStore(store);
  await pushImage(registry, 'app', imageOf('a'), ['1']);
  expect(await data.objects.get(SPACE_KEY)).toBeUndefined();
  limit = 100;
  const error: unknown = await pushImage(registry, 'app', imageOf('b'), ['2']).catch((reason: unknown) => reason);
  expect(isImagesError(error, 'NO_SPACE')).toBe(true);
  expect((await registry.statManifest('app', '1'))?.digest).toBe(imageOf('a').manifest.digest);
});

it('what was written without a quota counts when there is one again', async () => {
  expect(await store.space.used()).toBe(0);
  limit = undefined;
  await store.blobs.write(first.descriptor, opener(first.bytes));
  limit = 10_000;
  await expect(store.blobs.write(second.descriptor, opener(second.bytes))).rejects.toMatchObject(OVER);
});

it('of many that are written at the same time all are counted', async () => {
  limit = 1_000_000;
  const blobs = Array.from({ length: 20 }, (_, at) => blobOf(bytesOf(`many ${at}`, 5000)));
  await Promise.all(blobs.map(({ descriptor, bytes }) => store.blobs.write(descriptor, opener(bytes))));
  const other = withQuota(data, async () => limit, { now: () => now });
  expect(await other.space.used()).toBe(100_000);
  await Promise.all([store.space.add(-60_000, limit), store.space.add(-10_000, limit), store.space.used()]);
  now += 1000;
  expect(await other.space.used()).toBe(30_000);
});

it.each(['session', 'write'] as const)(
  'a count while bytes come does not forget what they will be (%s)',
  async (how) => {
    const some = Promise.withResolvers<void>();
    const rest = Promise.withResolvers<void>();
    async function* slowly() {
      yield first?.bytes.subarray(0, 1000) ?? Buffer.alloc(0);
      some.resolve();
      await rest.promise;
      throw new Error('reset');
    }
    const upload = how === 'session' ? await session('upload-slow') : undefined;
    const written = upload
      ? upload.append(slowly(), { length: 6000 })
      : store.blobs.write(first?.descriptor ?? expect.fail(), async () => slowly());
    const failed = expect(written).rejects.toThrow('reset');
    await some.promise;
    // Of what is counted, the bytes in buffers are not seen.
    expect(await store.space.recount()).toBeGreaterThanOrEqual(5000);
    await expect(store.blobs.write(second.descriptor, opener(second.bytes))).rejects.toMatchObject({
      code: 'NO_SPACE',
    });
    rest.resolve();
    await failed;
    expect(await store.space.recount()).toBe(1000);
  },
);
