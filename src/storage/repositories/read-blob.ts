// Reads small content, such as a manifest, whole.
import { joined } from '../../io/streams/joined.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Blobs } from '../blobs.ts';

/** All bytes, not verified. Returns `undefined` if there is no such blob, if it is damaged, or if it has more than `most` bytes. */
export async function wholeContent(
  blobs: Pick<Blobs, 'find' | 'read'>,
  digest: Digest,
  most: number,
): Promise<Uint8Array | undefined> {
  const found = await blobs.find(digest);
  if (!found || found.size > most) return undefined;
  const body = await blobs.read(digest);
  return body && (await joined(body));
}
