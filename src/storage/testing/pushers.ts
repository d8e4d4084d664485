// All ways to bring a blob, or to rely on one that is there.
import { randomUUID } from 'node:crypto';
import { type Blob, chunked, collect, opener } from '../../../test/contract/content.ts';
import type { Blobs } from '../blobs.ts';
import { layerLinkKey, linkBytes } from '../layout/registry-keys.ts';
import type { Store } from '../store.ts';

/** What the pusher was told: that the blob is on disk, or that it is there. */
export type Acknowledged = 'durable' | 'there';

/** Returns `undefined` if the pusher was told that the blob is not there. */
export type Pusher = (store: Store, blob: Blob) => Promise<Acknowledged | undefined>;

const use =
  (durable: boolean): Pusher =>
  async ({ objects, blobs }, blob) => {
    const { digest } = blob.descriptor;
    if (!(await blobs.use(digest, { durable }))) return undefined;
    await objects.put(linkOf(blob), linkBytes(digest));
    await readBack(blobs, blob);
    return durable ? 'durable' : 'there';
  };

export const PUSHERS = {
  use: use(false),
  'use durably': use(true),
  put: async ({ blobs }, { descriptor, bytes }) => {
    await blobs.put(descriptor.digest, bytes, async () => []);
    return 'durable';
  },
  write: async ({ blobs }, { descriptor, bytes }) => {
    await blobs.write(descriptor, opener(bytes));
    return 'durable';
  },
  commit: async ({ blobs }, { descriptor, bytes }) => {
    await using session = await blobs.session(`upload-${randomUUID()}`);
    await session?.append(chunked(bytes), { isLast: true });
    await session?.commit(descriptor.digest, async () => []);
    return 'durable';
  },
  build: async ({ blobs }, { descriptor, bytes }) => {
    await using started = await blobs.start();
    await started.append(Buffer.from(bytes));
    await started.finish(descriptor.digest);
    return 'there';
  },
} satisfies Record<string, Pusher>;

export type PusherName = keyof typeof PUSHERS;

export const PUSHER_NAMES = Object.keys(PUSHERS) as readonly PusherName[];

export function linkOf({ descriptor }: Blob): string {
  return layerLinkKey('a', descriptor.digest);
}

/** Throws if the blob is not there, whole. */
export async function readBack(blobs: Blobs, { descriptor, bytes }: Blob): Promise<void> {
  if (!(await blobs.find(descriptor.digest))) throw new Error('what was acknowledged is not found');
  const body = await blobs.read(descriptor.digest);
  if (!body) throw new Error('what was acknowledged has gone');
  if (Buffer.compare(await collect(body), bytes) !== 0) throw new Error('these are other bytes');
}
