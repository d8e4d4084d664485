// The contract of Blobs: sessions, in which bytes arrive piece by piece.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { blobOf, breakingOpener, bytesOf, chunked } from '../content.ts';
import { BLOB, contentOf, digest, type MakeBlobs, nothing, OTHER, opened, referring } from './suite.ts';

export function sessions(make: MakeBlobs): void {
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

  it('a session is continued by other processes, any number of times', async () => {
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
