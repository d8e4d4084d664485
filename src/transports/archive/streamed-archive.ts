// Blobs and small files as the stream of an archive, one after the other, without a file in between.
import type { Bytes, CallOptions } from '../../io/streams/bytes.ts';
import { stoppable } from '../../io/streams/stoppable.ts';
import { verified } from '../../io/streams/verify.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { padding } from '../../tar/writer.ts';
import { blobPath } from '../layout/layout-files.ts';
import { archiveHeader } from './archive-format.ts';

export interface OpenBlob {
  readonly blob: Descriptor;
  open(call?: CallOptions): Promise<Bytes>;
}

/** The blobs, verified, then `small`, the files after them. Opens the next blob while one is sent, to hide the latency of its source. */
export async function* streamedArchive(
  parts: readonly OpenBlob[],
  small: Uint8Array,
  call?: CallOptions,
): AsyncGenerator<Uint8Array> {
  let next = parts[0]?.open(call);
  try {
    for (const [at, { blob }] of parts.entries()) {
      const body = await next;
      next = parts[at + 1]?.open(call);
      // The failure is reported when the blob's turn comes.
      next?.catch(() => {});
      yield blobHeader(blob);
      if (body) yield* stoppable(verified(body, blob), call?.signal);
      const rest = padding(blob.size);
      if (rest.length > 0) yield rest;
    }
    yield small;
  } finally {
    const left = await next?.catch(() => undefined);
    await left?.[Symbol.asyncIterator]().return?.();
  }
}

export function blobHeader({ digest, size }: Descriptor): Uint8Array {
  return archiveHeader(blobPath(digest), size);
}

/** In the order of their digests: equal images give equal bytes. */
export function inDigestOrder(parts: Iterable<OpenBlob>): readonly OpenBlob[] {
  return [...parts].sort((a, b) => (a.blob.digest < b.blob.digest ? -1 : 1));
}
