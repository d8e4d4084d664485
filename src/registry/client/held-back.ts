// Blobs that are verified before they are delivered, for a consumer that cannot open a blob again. Wrong bytes can then be replaced without its knowledge.
import { readFileBytes } from '../../io/files/file-bytes.ts';
import { spooled } from '../../io/files/temporary-file.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import { vouchedFor } from '../../io/streams/verify.ts';
import type { BlobContent, BlobOptions } from '../contract.ts';
import { mayOpenAnew } from '../open-anew.ts';

/** In bytes. Up to this size a blob is held in memory, above it in an unnamed temporary file. */
const SMALL = 1024 * 1024;

export interface HeldBackOptions {
  /** Opens the blob again after wrong bytes; may deliver others. */
  readonly again: () => Promise<BlobContent>;
  readonly temporaryDirectory: string;
}

/**
 * Returns the content. If the consumer can open it again, the content is not held back (a small one always is, because that costs little).
 * Errors: those of the body, NO_SPACE.
 */
export async function heldBack(
  content: BlobContent,
  { from = 0, to = Number.POSITIVE_INFINITY, opensAnew }: BlobOptions,
  { again, temporaryDirectory }: HeldBackOptions,
): Promise<BlobContent> {
  const { descriptor, body } = content;
  const { size, digest } = descriptor;
  if (from > 0 || to < size || (opensAnew && size > SMALL)) return content;
  try {
    const held = await (size > SMALL ? inFile(body, temporaryDirectory) : inMemory(body));
    return { descriptor, body: vouchedFor(held, { size, digest }) };
  } catch (error) {
    if (mayOpenAnew(error)) return again();
    throw error;
  }
}

async function inMemory(body: Bytes): Promise<Bytes> {
  return oneChunk(Buffer.concat(await Array.fromAsync(body)));
}

async function inFile(body: Bytes, directory: string): Promise<Bytes> {
  return readFileBytes(await spooled(body, directory), { close: true });
}
