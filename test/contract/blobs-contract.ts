// The contract of Blobs, for every driver: a directory, memory, and future ones.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { type BlobSession, type Blobs, KEPT_MS, type StoredBlob, USE_STEP_MS } from '../../src/storage/blobs.ts';
import type { Objects } from '../../src/storage/objects.ts';
import type { Store } from '../../src/storage/store.ts';
import { type Blob, blobOf, breakingOpener, bytesOf, chunked, collect, opener } from './content.ts';

export interface BlobsUnderTest extends Store {
  /** The same store, as another process has it. */
  again(): Store;
  /** Time passes, for all blobs. In milliseconds. */
  age(time: number): Promise<void>;
  /** Other bytes of the same size. */
  damage(digest: Digest): Promise<void>;
}

const BLOB = blobOf(bytesOf('layer', 200_000));
const { digest } = BLOB.descriptor;
const OTHER = blobOf(bytesOf('other', 3000));
const nothing = async () => [];

/** Each call of `make` returns an empty store. */
export function blobsContract(name: string, make: () => Promise<BlobsUnderTest>): void {
  describe(`${name} as a store of blobs`, () => {
    reading(make);
    writing(make);
    sessions(make);
    trust(make);
    checking(make);
    collecting(make);
  });
}

type Make = () => Promise<BlobsUnderTest>;

function reading(make: Make): void {
  it('has nothing that was not written', async () => {
    const { blobs } = await make();
    expect(await blobs.find(digest)).toBeUndefined();
    expect(await blobs.use(digest)).toBeUndefined();
    expect(await blobs.use(digest, { durable: true })).toBeUndefined();
    expect(await blobs.read(digest)).toBeUndefined();
    expect(await blobs.readVerified(BLOB.descriptor)).toBeUndefined();
    expect(await blobs.partial(digest)).toBe(0);
    expect(await Array.fromAsync(blobs.all())).toEqual([]);
    expect(await blobs.damaged()).toEqual(new Set());
  });

  it('finds a blob with its size, and uses it', async () => {
    const { blobs } = await written(make);
    for (const found of [await blobs.find(digest), await blobs.use(digest), await blobs.use(digest, { durable: true })])
      expect(found).toMatchObject({ digest, size: BLOB.bytes.length });
  });

  it('reads ranges: from, to, both, and as much as there is', async () => {
    const { blobs } = await written(make, OTHER);
    for (const [from, to] of [[], [7], [undefined, 9], [3, 2000], [2990, 9999], [3000]]) {
      const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
      const body = await blobs.read(OTHER.descriptor.digest, range);
      expect(body && (await collect(body)), `${from}-${to}`).toEqual(OTHER.bytes.subarray(from, to));
    }
  });

  it('gives all blobs, each once', async () => {
    const { blobs } = await written(make, BLOB, OTHER, BLOB);
    const all = await Array.fromAsync(blobs.all());
    expect(all.map((blob) => blob.digest).sort()).toEqual([digest, OTHER.descriptor.digest].sort());
    for (const blob of all) expect(await blobs.find(blob.digest)).toEqual(blob);
  });

  it('knows blobs of every algorithm', async () => {
    const wide = blobOf(bytesOf('wide', 500), 'x/y', 'sha512');
    const { blobs } = await written(make, wide);
    expect(await contentOf(blobs, wide)).toEqual(wide.bytes);
    expect((await Array.fromAsync(blobs.all())).map((blob) => blob.digest)).toEqual([wide.descriptor.digest]);
  });
}

function writing(make: Make): void {
  it.each([true, false])('writes a blob (durable: %s) and does not ask for one that is there', async (durable) => {
    const { blobs } = await make();
    const asked: number[] = [];
    for (let round = 0; round < 2; round++) await blobs.write(BLOB.descriptor, opener(BLOB.bytes, asked), { durable });
    expect(asked).toEqual([0]);
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it('goes on where an attempt broke off, also one of another process', async () => {
    const { blobs, again } = await make();
    await expect(blobs.write(BLOB.descriptor, breakingOpener(BLOB.bytes, 130_000))).rejects.toThrow('reset');
    expect(await blobs.find(digest)).toBeUndefined();
    const left = await again().blobs.partial(digest);
    expect(left).toBeGreaterThan(0);
    const asked: number[] = [];
    await again().blobs.write(BLOB.descriptor, opener(BLOB.bytes, asked));
    expect(asked).toEqual([left]);
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
    expect(await blobs.partial(digest)).toBe(BLOB.bytes.length);
  });

  it('has one writer at a time; the others find the blob', async () => {
    const { blobs, again } = await make();
    const asked: number[] = [];
    const other = again().blobs;
    const writers = [blobs, other, blobs, other].map((one) => one.write(BLOB.descriptor, opener(BLOB.bytes, asked)));
    await Promise.all(writers);
    expect(asked).toEqual([0]);
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it('lets the next writer go on where one has failed', async () => {
    const { blobs } = await make();
    const asked: number[] = [];
    const results = await Promise.allSettled([
      blobs.write(BLOB.descriptor, breakingOpener(BLOB.bytes, 130_000)),
      blobs.write(BLOB.descriptor, opener(BLOB.bytes, asked)),
    ]);
    expect(results.map(({ status }) => status).sort()).toContain('fulfilled');
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it.each([
    ['other bytes', 'DIGEST_INVALID', bytesOf('wrong', BLOB.bytes.length)],
    ['too many bytes', 'SIZE_INVALID', bytesOf('layer', BLOB.bytes.length + 1)],
    ['too few bytes', 'SIZE_INVALID', BLOB.bytes.subarray(1)],
  ])('refuses %s', async (_, code, bytes) => {
    const { blobs } = await make();
    await expect(blobs.write(BLOB.descriptor, opener(bytes))).rejects.toMatchObject({ code });
    expect(await blobs.find(digest)).toBeUndefined();
    await blobs.write(BLOB.descriptor, opener(BLOB.bytes));
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it('puts small ones with what refers to them, and replaces what is there', async () => {
    const { blobs, objects, damage } = await make();
    await blobs.put(OTHER.descriptor.digest, OTHER.bytes, referring(objects, 'link', blobs, OTHER));
    expect(await objects.get('link')).toBeDefined();
    await damage(OTHER.descriptor.digest);
    await blobs.put(OTHER.descriptor.digest, OTHER.bytes, nothing);
    expect(await contentOf(blobs, OTHER)).toEqual(OTHER.bytes);
  });

  it('keeps what was started and finished, and nothing of what was given up', async () => {
    const { blobs, objects } = await make();
    {
      await using started = await blobs.start();
      await started.append(Buffer.from('half'));
    }
    expect(await blobs.sweep({ before: new Date(0) })).toBe(0);
    for (let round = 0; round < 2; round++) {
      await using started = await blobs.start();
      for await (const chunk of chunked(BLOB.bytes, 70_000)) await started.append(chunk);
      await started.finish(digest);
    }
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
    expect(await blobs.use(digest, { durable: true })).toBeDefined();
    expect(await Array.fromAsync(objects.list('none/'))).toEqual([]);
  });
}

function sessions(make: Make): void {
  it('a session collects bytes, and commits them with what refers to them', async () => {
    const { blobs, objects } = await make();
    await using session = await opened(blobs, 's-1');
    await session.append(chunked(BLOB.bytes.subarray(0, 90_000)));
    expect([session.id, session.size, session.written]).toEqual(['s-1', 90_000, 90_000]);
    await session.append(chunked(BLOB.bytes.subarray(90_000)), { isLast: true });
    expect(session.size).toBe(BLOB.bytes.length);
    expect(await blobs.find(digest)).toBeUndefined();
    await session.commit(digest, referring(objects, 'link', blobs, BLOB));
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
    expect(await blobs.session('s-1', { mustExist: true })).toBeUndefined();
  });

  it('a session is continued by another process, as often as that is', async () => {
    const { again } = await make();
    for (let at = 0; at < BLOB.bytes.length; at += 50_000) {
      await using session = await opened(again().blobs, 's-1');
      expect(session.size).toBe(at);
      await session.append(chunked(BLOB.bytes.subarray(at, at + 50_000)));
    }
    await using last = await opened(again().blobs, 's-1');
    await last.commit(digest, nothing);
    expect(await contentOf(again().blobs)).toEqual(BLOB.bytes);
  });

  it('a session keeps what arrived before the body broke off', async () => {
    const { blobs } = await make();
    await using session = await opened(blobs, 's-1');
    const body = await breakingOpener(BLOB.bytes, 70_000)(0);
    await expect(session.append(body)).rejects.toThrow('reset');
    expect(session.size).toBe(70_000);
    await session.append(chunked(BLOB.bytes.subarray(70_000)));
    await session.commit(digest, nothing);
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it('a session has one owner: the next waits, or stops waiting when told to', async () => {
    const { blobs } = await make();
    const first = await opened(blobs, 's-1');
    const aborted = new AbortController();
    const impatient = blobs.session('s-1', { signal: aborted.signal });
    let hasSecond = false;
    const second = blobs.session('s-1', { mustExist: true }).then((session) => {
      hasSecond = true;
      return session;
    });
    await delay(30);
    aborted.abort(new Error('enough'));
    await expect(impatient).rejects.toThrow('enough');
    expect(hasSecond).toBe(false);
    await first.append(chunked(Buffer.from('x')));
    await first[Symbol.asyncDispose]();
    expect((await second)?.size).toBe(1);
    await (await second)?.cancel();
  });

  it('a session that must exist is not made', async () => {
    const { blobs } = await make();
    expect(await blobs.session('none', { mustExist: true })).toBeUndefined();
    await (await opened(blobs, 's-1'))[Symbol.asyncDispose]();
    const empty = await blobs.session('s-1', { mustExist: true });
    expect(empty?.size).toBe(0);
    await empty?.[Symbol.asyncDispose]();
  });

  it.each(['sha256', 'sha512'] as const)('a session ends with a digest of %s, announced or not', async (algorithm) => {
    const { blobs } = await make();
    for (const announced of [undefined, 'sha256', 'sha512'] as const) {
      const blob = blobOf(bytesOf(`${announced}`, 5000), 'x/y', algorithm);
      await using session = await blobs.session('s-1', announced ? { algorithm: announced } : {});
      await session?.append(chunked(blob.bytes));
      await session?.commit(blob.descriptor.digest, nothing);
      expect(await contentOf(blobs, blob)).toEqual(blob.bytes);
    }
  });

  it('a session with other bytes is refused and discarded', async () => {
    const { blobs } = await make();
    await using session = await opened(blobs, 's-1');
    await session.append(chunked(OTHER.bytes));
    let isReferred = false;
    const commit = session.commit(digest, async () => {
      isReferred = true;
      return [];
    });
    await expect(commit).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    expect(isReferred).toBe(false);
    expect(await blobs.find(digest)).toBeUndefined();
    expect(await blobs.find(digestOf(OTHER.bytes))).toBeUndefined();
    expect(await blobs.session('s-1', { mustExist: true })).toBeUndefined();
  });

  it('a session that is cancelled leaves nothing', async () => {
    const { blobs } = await make();
    const session = await opened(blobs, 's-1');
    await session.append(chunked(OTHER.bytes));
    await session.cancel();
    expect(await blobs.session('s-1', { mustExist: true })).toBeUndefined();
    expect(await blobs.sweep({ before: new Date(0) })).toBe(0);
  });

  it('sessions without an owner are swept by age, number and bytes; not those that somebody has', async () => {
    const { blobs } = await make();
    for (const id of ['s-1', 's-2', 's-3', 's-4']) {
      await using session = await opened(blobs, id);
      await session.append(chunked(OTHER.bytes));
      await delay(15);
    }
    await using owned = await opened(blobs, 's-1');
    const isThere = async (id: string) => {
      await using session = await blobs.session(id, { mustExist: true });
      return session !== undefined;
    };
    expect(await blobs.sweep({ before: new Date(0) })).toBe(4 * OTHER.bytes.length);
    expect(await blobs.sweep({ before: new Date(0), most: 2 })).toBe(3 * OTHER.bytes.length);
    expect(await isThere('s-2')).toBe(false);
    expect(await blobs.sweep({ before: new Date(0), bytes: OTHER.bytes.length })).toBe(2 * OTHER.bytes.length);
    expect(await isThere('s-3')).toBe(false);
    const spared = new Date(Date.now() - 60_000);
    expect(await blobs.sweep({ before: new Date(0), most: 0, spared })).toBe(2 * OTHER.bytes.length);
    expect(await blobs.sweep({ before: new Date(Date.now() + 60_000) })).toBe(OTHER.bytes.length);
    expect(await isThere('s-4')).toBe(false);
    await owned.commit(OTHER.descriptor.digest, nothing);
  });

  it('sessions have an age of their own: parts of a blob stay longer', async () => {
    const { blobs } = await make();
    const { digest } = OTHER.descriptor;
    await using session = await opened(blobs, 's-1');
    await session.append(chunked(OTHER.bytes));
    await session[Symbol.asyncDispose]();
    const broken = async function* () {
      yield OTHER.bytes.subarray(0, 1);
      throw new Error('broken off');
    };
    await expect(blobs.write(OTHER.descriptor, async () => broken())).rejects.toThrow('broken off');
    expect(await blobs.partial(digest)).toBe(1);
    expect(await blobs.sweep({ before: new Date(0), sessionsBefore: new Date(Date.now() + 60_000) })).toBe(1);
    expect(await blobs.session('s-1', { mustExist: true })).toBeUndefined();
    expect(await blobs.partial(digest)).toBe(1);
  });
}

function trust(make: Make): void {
  it('a damaged blob that nobody doubts is there; once a reader met its bytes it counts as absent', async () => {
    const { blobs, damage } = await written(make);
    await damage(digest);
    expect(await blobs.find(digest)).toBeDefined();
    const body = await blobs.readVerified(BLOB.descriptor);
    await expect(collect(body ?? chunked(Buffer.alloc(0)))).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    expect(await blobs.find(digest)).toBeUndefined();
    expect(await blobs.use(digest)).toBeUndefined();
    expect(await blobs.damaged()).toEqual(new Set([digest]));
    expect((await Array.fromAsync(blobs.all())).map((blob) => blob.digest)).toEqual([digest]);
  });

  it('a blob in doubt that is whole stays', async () => {
    const { blobs } = await written(make);
    await blobs.doubt(digest);
    expect(await blobs.find(digest)).toBeDefined();
    expect(await blobs.damaged()).toEqual(new Set());
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it.each<[string, (blobs: Blobs) => Promise<void>]>([
    ['write', (blobs) => blobs.write(BLOB.descriptor, opener(BLOB.bytes))],
    ['write that does not wait', (blobs) => blobs.write(BLOB.descriptor, opener(BLOB.bytes), { durable: false })],
    ['put', (blobs) => blobs.put(digest, BLOB.bytes, nothing)],
    ['a session', committed],
    ['a build', built],
  ])('a blob that is known to be damaged is put right by %s', async (_, bring) => {
    const { blobs, damage } = await written(make);
    await damage(digest);
    await blobs.doubt(digest);
    await bring(blobs);
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
    expect(await blobs.damaged()).toEqual(new Set());
  });
}

function checking(make: Make): void {
  it('a blob that is checked is whole, damaged, or not there', async () => {
    const { blobs, damage } = await written(make);
    expect(await blobs.check(digest)).toBe('whole');
    await damage(digest);
    expect(await blobs.check(digest)).toBe('damaged');
    expect(await blobs.find(digest)).toBeUndefined();
    expect(await blobs.damaged()).toEqual(new Set([digest]));
    expect(await blobs.check(OTHER.descriptor.digest)).toBeUndefined();
  });

  it('other processes know of damage that a check has found', async () => {
    const { blobs, again, damage } = await written(make);
    await damage(digest);
    await blobs.check(digest);
    expect(await again().blobs.find(digest)).toBeUndefined();
  });

  it('a check takes away a doubt, and sees bytes that were put right', async () => {
    const { blobs, damage } = await written(make);
    await blobs.doubt(digest);
    expect(await blobs.check(digest)).toBe('whole');
    await damage(digest);
    await blobs.check(digest);
    await blobs.write(BLOB.descriptor, opener(BLOB.bytes));
    expect(await blobs.check(digest)).toBe('whole');
    expect(await blobs.damaged()).toEqual(new Set());
  });

  it('a check keeps pace, and ends where the pace throws; nothing is said of the blob then', async () => {
    const { blobs, damage } = await written(make);
    await damage(digest);
    let read = 0;
    const pace = (bytes: number) => {
      read += bytes;
      return undefined;
    };
    const stopping = () => Promise.reject(new Error('enough'));
    await expect(blobs.check(digest, stopping)).rejects.toThrow('enough');
    expect(await blobs.damaged()).toEqual(new Set());
    await blobs.check(digest, pace);
    expect(read).toBe(BLOB.bytes.length);
  });

  it('a blob that is written again while it is checked is whole', async () => {
    const { blobs, damage } = await written(make);
    await damage(digest);
    const replacing = async () => {
      await blobs.put(digest, BLOB.bytes, nothing);
    };
    await blobs.check(digest, () => replacing());
    expect(await blobs.find(digest)).toBeDefined();
    expect(await blobs.damaged()).toEqual(new Set());
  });

  it('gives blobs in the order of their digests, after a digest', async () => {
    const wide = blobOf(bytesOf('wide', 500), 'x/y', 'sha512');
    const { blobs } = await written(make, BLOB, OTHER, wide);
    const all = [digest, OTHER.descriptor.digest, wide.descriptor.digest].sort();
    for (const [at, one] of all.entries()) {
      const after = await Array.fromAsync(blobs.all(one));
      expect(after.map((blob) => blob.digest)).toEqual(all.slice(at + 1));
    }
  });
}

function collecting(make: Make): void {
  async function seenOld(options: { readonly blob?: Blob } = {}) {
    const store = await written(make, options.blob ?? BLOB);
    await store.age(KEPT_MS + 1000);
    return { ...store, seen: await Array.fromAsync(store.blobs.all()) };
  }

  it('deletes what nobody has used since it was seen, and says so', async () => {
    const { blobs, seen } = await seenOld();
    expect(await blobs.collect(seen)).toEqual(seen);
    expect(await blobs.find(digest)).toBeUndefined();
    expect(await blobs.read(digest)).toBeUndefined();
    expect(await Array.fromAsync(blobs.all())).toEqual([]);
    expect(await blobs.collect(seen)).toEqual([]);
    await blobs.write(BLOB.descriptor, opener(BLOB.bytes));
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it.each<[string, (blobs: Blobs) => Promise<unknown>]>([
    ['used', (blobs) => blobs.use(digest)],
    ['used durably', (blobs) => blobs.use(digest, { durable: true })],
    ['written', (blobs) => blobs.write(BLOB.descriptor, opener(BLOB.bytes))],
    ['put', (blobs) => blobs.put(digest, BLOB.bytes, nothing)],
    ['uploaded', committed],
    ['built', built],
  ])('spares what was %s since it was seen, also by another process', async (_, use) => {
    const { blobs, again, seen } = await seenOld();
    await use(again().blobs);
    expect(await blobs.collect(seen)).toEqual([]);
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
    const [now] = await Array.fromAsync(blobs.all());
    expect(now?.version).not.toBe(seen[0]?.version);
    expect(now?.used.getTime()).toBeGreaterThan((seen[0]?.used.getTime() ?? 0) + USE_STEP_MS);
  });

  it('spares what was deleted and came back since it was seen', async () => {
    const { blobs, seen } = await seenOld();
    expect(await blobs.collect(seen)).toHaveLength(1);
    await built(blobs);
    expect(await blobs.collect(seen)).toEqual([]);
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it('does not count as a use what only reads', async () => {
    const { blobs, seen } = await seenOld();
    await blobs.find(digest);
    await contentOf(blobs);
    expect(await blobs.collect(seen)).toEqual(seen);
  });

  it('spares what was used within a day, whoever asks for it to be deleted', async () => {
    const { blobs, age } = await written(make);
    await age(KEPT_MS - 60_000);
    const young = await Array.fromAsync(blobs.all());
    expect(await blobs.collect(young)).toEqual([]);
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it('deletes what was used, a day later', async () => {
    const { blobs, age } = await seenOld();
    await blobs.use(digest);
    await age(KEPT_MS + 1000);
    expect(await blobs.collect(await Array.fromAsync(blobs.all()))).toHaveLength(1);
    expect(await blobs.find(digest)).toBeUndefined();
  });

  it('deletes what is damaged, and forgets that', async () => {
    const { blobs, damage, age } = await written(make);
    await damage(digest);
    await blobs.doubt(digest);
    expect(await blobs.find(digest)).toBeUndefined();
    await age(KEPT_MS + 1000);
    expect(await blobs.collect(await Array.fromAsync(blobs.all()))).toHaveLength(1);
    expect(await blobs.damaged()).toEqual(new Set());
    await built(blobs);
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it('deletes only what it is told to, and what is there', async () => {
    const { blobs, age } = await written(make, BLOB, OTHER);
    await age(KEPT_MS + 1000);
    const [, ...rest] = await Array.fromAsync(blobs.all());
    const unknown: StoredBlob = { digest: digestOf(Buffer.from('none')), size: 4, used: new Date(0), version: '1' };
    expect(await blobs.collect([])).toEqual([]);
    expect(await blobs.collect([unknown, ...rest])).toEqual(rest);
    expect(await Array.fromAsync(blobs.all())).toHaveLength(1);
  });

  it('lets each blob be deleted by one of two collectors', async () => {
    const { blobs, again, age } = await make();
    const many = Array.from({ length: 60 }, (_, at) => blobOf(bytesOf(`many ${at}`, 100)));
    for (const { descriptor, bytes } of many) await blobs.put(descriptor.digest, bytes, nothing);
    await age(KEPT_MS + 1000);
    const seen = await Array.fromAsync(blobs.all());
    const deleted = await Promise.all([blobs.collect(seen), again().blobs.collect(seen.toReversed())]);
    expect(new Set(deleted.flat().map((blob) => blob.digest)).size).toBe(60);
    expect(deleted.flat()).toHaveLength(60);
    expect(await Array.fromAsync(blobs.all())).toEqual([]);
  });
}

async function written(make: Make, ...content: readonly Blob[]): Promise<BlobsUnderTest> {
  const store = await make();
  for (const { descriptor, bytes } of content.length > 0 ? content : [BLOB]) {
    await store.blobs.write(descriptor, opener(bytes));
  }
  return store;
}

async function contentOf(blobs: Blobs, { descriptor }: Blob = BLOB): Promise<Buffer | undefined> {
  expect(await blobs.find(descriptor.digest)).toBeDefined();
  const body = await blobs.readVerified(descriptor);
  return body && (await collect(body));
}

async function opened(blobs: Blobs, id: string): Promise<BlobSession> {
  const session = await blobs.session(id);
  if (!session) throw new Error('no session');
  return session;
}

async function committed(blobs: Blobs): Promise<void> {
  await using session = await opened(blobs, 'bringing');
  await session.append(chunked(BLOB.bytes), { isLast: true });
  await session.commit(digest, nothing);
}

async function built(blobs: Blobs): Promise<void> {
  await using started = await blobs.start();
  await started.append(Buffer.from(BLOB.bytes));
  await started.finish(digest);
}

/** Writes a link, and sees that the blob is visible by then. */
function referring(objects: Objects, key: string, blobs: Blobs, blob: Blob) {
  return async () => {
    expect(await contentOf(blobs, blob)).toEqual(blob.bytes);
    await objects.put(key, Buffer.from(blob.descriptor.digest));
    return [key];
  };
}
