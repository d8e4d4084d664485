// Blobs that verify themselves while they are read. If the bytes are wrong, the error names the sender.
import { tapped, verified } from '../../io/streams/verify.ts';
import { type ImagesError, isImagesError } from '../../oci/errors.ts';
import type { BlobContent, BlobOptions } from '../contract.ts';
import { markOpenAnew } from '../open-anew.ts';

export interface OpenedBlob extends BlobContent {
  /** The sender, for error messages. */
  readonly sender: string;
  /** Called if the bytes are wrong; returns whether opening the blob again may give others. Absent if that is never so. */
  readonly provedWrong?: (error: ImagesError) => boolean;
}

/** Verifies the body if it is the whole blob. A part has to be verified by the consumer. */
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

/** Whether the bytes did not match the digest, or could not be decoded. */
function isWrong(error: unknown): error is ImagesError {
  return isImagesError(error, 'DIGEST_INVALID', 'SIZE_INVALID', 'BAD_ANSWER');
}
