// Writes of whole blobs: what of them is not there yet is reserved before it is written.
import { tapped } from '../../io/streams/verify.ts';
import type { Blobs, StartedBlob } from '../blobs.ts';
import type { Reservations } from './reservations.ts';

export function limitedWrite(blobs: Blobs, quota: Reservations): Blobs['write'] {
  return async (blob, open, options) => {
    if (!(await quota.isLimited())) return await blobs.write(blob, open, options);
    const before = await blobs.partial(blob.digest);
    const reserved = Math.max(0, blob.size - before);
    await quota.reserve(reserved);
    let isOpened = false;
    let arrived = before;
    const left = () => Math.min(reserved, blob.size - arrived);
    const openCounted: typeof open = async (from) => {
      isOpened = true;
      arrived = from;
      return tapped(await open(from), (chunk) => {
        arrived += chunk.length;
      });
    };
    {
      using _writing = quota.writing(left);
      try {
        await blobs.write(blob, openCounted, options);
      } catch (error) {
        const kept = Math.min(blob.size, await blobs.partial(blob.digest)) - before;
        await quota.release(reserved - kept);
        throw error;
      }
    }
    // Somebody else wrote it, and has counted it.
    if (!isOpened) await quota.release(reserved);
  };
}

export function limitedPut(blobs: Blobs, quota: Reservations): Blobs['put'] {
  return async (digest, bytes, refer) => {
    const reserved = (await quota.isCounted(digest)) ? 0 : bytes.length;
    if (reserved > 0) await quota.reserve(reserved);
    try {
      await blobs.put(digest, bytes, refer);
    } catch (error) {
      await quota.release(reserved);
      throw error;
    }
  };
}

export function limitedStart(blobs: Blobs, quota: Reservations): Blobs['start'] {
  return async () => {
    const inner = await blobs.start();
    let reserved = 0;
    const started: StartedBlob = {
      append: async (chunk) => {
        await quota.reserve(chunk.length);
        reserved += chunk.length;
        await inner.append(chunk);
      },
      finish: async (digest) => {
        const isAgain = await quota.isCounted(digest);
        await inner.finish(digest);
        if (isAgain) await quota.release(reserved);
        reserved = 0;
      },
      [Symbol.asyncDispose]: async () => {
        await inner[Symbol.asyncDispose]();
        await quota.release(reserved);
        reserved = 0;
      },
    };
    return started;
  };
}
