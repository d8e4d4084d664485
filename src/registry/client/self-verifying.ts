// Blobs that verify themselves on their way to the reader, and tell where they came from when their bytes are wrong.
import { tapped, verified } from '../../io/streams/verify.ts';
import { type ImagesError, isImagesError } from '../../oci/errors.ts';
import type { BlobContent, BlobOptions } from '../contract.ts';
import { markOpenAnew } from '../open-anew.ts';

export interface OpenedBlob extends BlobContent {
  /** Who sends it, for messages. */
  readonly sender: string;
  /** To be told that its bytes are wrong; true where opening it anew may give others. Absent where it never does. */
  readonly provedWrong?: (error: ImagesError) => boolean;
}

/** The body of all of a blob is compared with its digest; that of a part is the reader's to verify. */
export function selfVerifying(opened: OpenedBlob, { from = 0, to }: BlobOptions): BlobContent {
  const { descriptor, body, sender, provedWrong } = opened;
  const { digest, size } = descriptor;
  if (from > 0 || (to !== undefined && to < size)) return { descriptor, body };
  const checked = verified(body, { digest, size, sender });
  if (!provedWrong) return { descriptor, body: checked };
  const failed = (error: unknown) => {
    if (isWrong(error) && provedWrong(error)) markOpenAnew(error);
  };
  return { descriptor, body: tapped(checked, () => {}, failed) };
}

/** Other bytes came than the digest says, or none that can be understood. */
function isWrong(error: unknown): error is ImagesError {
  return isImagesError(error, 'DIGEST_INVALID', 'SIZE_INVALID', 'BAD_ANSWER');
}
