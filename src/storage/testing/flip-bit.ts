// Damages a blob, so that it keeps its size.
import type { Digest } from '../../oci/digest.ts';
import { blobKey } from '../layout/registry-keys.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { readObject } from '../object-store/read-object.ts';

export async function flipBit(objects: ObjectStore, digest: Digest): Promise<void> {
  const bytes = Buffer.from((await readObject(objects, blobKey(digest))) ?? []);
  bytes.writeUInt8(bytes.readUInt8(0) ^ 1);
  await objects.put(blobKey(digest), bytes);
}
