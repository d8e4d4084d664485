// Hashes blobs, each once, in the order of their digests: so a check that was ended goes on after the last one.
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Blobs, CheckedBlob, ReadPace, StoredBlob } from '../blobs.ts';

export interface BlobsCheck extends CallOptions {
  readonly pace: ReadPace;
  /** Only these blobs. Default: all. */
  readonly only?: ReadonlySet<Digest>;
  /** Begins after this blob. */
  readonly after?: Digest;
  /** Called for each blob in order, once all before it have been hashed. */
  readonly onBlob: (blob: StoredBlob, state: CheckedBlob | undefined) => Promise<void> | undefined;
}

/** As many as there are threads that hash, at most: while one blob is hashed, others are opened and read ahead. */
const AT_ONCE = 4;

/** Errors: those of reading (unreadable bytes are damage, not an error); what `pace` throws. */
export async function checkBlobs(blobs: Blobs, { pace, only, after, onBlob, signal }: BlobsCheck): Promise<void> {
  const running: { readonly blob: StoredBlob; readonly state: Promise<CheckedBlob | undefined> }[] = [];
  const finishFirst = async () => {
    const first = running[0];
    if (!first) return;
    const state = await first.state;
    running.shift();
    await onBlob(first.blob, state);
  };
  try {
    for await (const blob of only ? found(blobs, only) : blobs.all(after)) {
      signal?.throwIfAborted();
      const state = blobs.check(blob.digest, pace);
      // Awaited in its turn. Until then, its error must not count as unhandled.
      state.catch(() => {});
      running.push({ blob, state });
      if (running.length === AT_ONCE) await finishFirst();
    }
    while (running.length > 0) await finishFirst();
  } finally {
    await Promise.allSettled(running.map(({ state }) => state));
  }
}

/** The blobs with these digests, in order; also those that are known to be damaged. */
async function* found(blobs: Blobs, only: ReadonlySet<Digest>): AsyncGenerator<StoredBlob> {
  const damaged = await blobs.damaged();
  for (const digest of [...only].sort()) {
    const blob = await blobs.find(digest);
    if (blob) yield blob;
    else if (damaged.has(digest)) yield { digest, size: 0, used: new Date(0), version: '' };
  }
}
