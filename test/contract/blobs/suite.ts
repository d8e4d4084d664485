// What the parts of the contract of Blobs share.
import { expect } from 'vitest';
import type { Digest } from '../../../src/oci/digest.ts';
import type { BlobSession, Blobs } from '../../../src/storage/blobs.ts';
import type { Objects } from '../../../src/storage/objects.ts';
import type { Store } from '../../../src/storage/store.ts';
import { type Blob, blobOf, bytesOf, chunked, collect, opener } from '../content.ts';

export interface BlobsUnderTest extends Store {
  /** The same store, as another process has it. */
  again(): Store;
  /** Time passes, for all blobs. In milliseconds. */
  age(time: number): Promise<void>;
  /** Other bytes of the same size. */
  damage(digest: Digest): Promise<void>;
}

/** Each call returns an empty store. */
export type MakeBlobs = () => Promise<BlobsUnderTest>;

export const BLOB = blobOf(bytesOf('layer', 200_000));
export const { digest } = BLOB.descriptor;
export const OTHER = blobOf(bytesOf('other', 3000));
export const nothing = async () => [];

export async function written(make: MakeBlobs, ...content: readonly Blob[]): Promise<BlobsUnderTest> {
  const store = await make();
  for (const { descriptor, bytes } of content.length > 0 ? content : [BLOB]) {
    await store.blobs.write(descriptor, opener(bytes));
  }
  return store;
}

export async function contentOf(blobs: Blobs, { descriptor }: Blob = BLOB): Promise<Buffer | undefined> {
  expect(await blobs.find(descriptor.digest)).toBeDefined();
  const body = await blobs.readVerified(descriptor);
  return body && (await collect(body));
}

export async function opened(blobs: Blobs, id: string): Promise<BlobSession> {
  const session = await blobs.session(id);
  if (!session) throw new Error('no session');
  return session;
}

export async function committed(blobs: Blobs): Promise<void> {
  await using session = await opened(blobs, 'bringing');
  await session.append(chunked(BLOB.bytes), { isLast: true });
  await session.commit(digest, nothing);
}

export async function built(blobs: Blobs): Promise<void> {
  await using started = await blobs.start();
  await started.append(Buffer.from(BLOB.bytes));
  await started.finish(digest);
}

/** Writes a link, and sees that the blob is visible by then. */
export function referring(objects: Objects, key: string, blobs: Blobs, blob: Blob) {
  return async () => {
    expect(await contentOf(blobs, blob)).toEqual(blob.bytes);
    await objects.put(key, Buffer.from(blob.descriptor.digest));
    return [key];
  };
}
