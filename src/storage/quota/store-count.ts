// The last count of a store, in an object that all processes share.
import { isObject } from '../../oci/decode.ts';
import { isImagesError } from '../../oci/errors.ts';
import { SPACE_KEY } from '../layout/store-keys.ts';
import type { Objects } from '../objects.ts';
import type { AddedBytes } from './added-bytes.ts';

/** What somebody counted. */
export interface StoreCount {
  readonly bytes: number;
  /** When the store was counted. */
  readonly countedAt: number;
  /** What had been added before, by writer. */
  readonly added: AddedBytes;
}

export async function readCount(objects: Objects): Promise<StoreCount | undefined> {
  const bytes = await objects.get(SPACE_KEY);
  if (!bytes) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    if (!isObject(value) || typeof value.bytes !== 'number' || typeof value.countedAt !== 'number') return undefined;
    const added = Object.entries(isObject(value.added) ? value.added : {});
    return {
      bytes: value.bytes,
      countedAt: value.countedAt,
      added: new Map(added.flatMap(([name, sum]) => (typeof sum === 'number' ? [[name, sum] as const] : []))),
    };
  } catch {
    // A power cut has emptied it.
    return undefined;
  }
}

/** Where nothing can be written, others do not learn of the count. */
export async function writeCount(objects: Objects, { added, ...count }: StoreCount): Promise<void> {
  try {
    const text = JSON.stringify({ ...count, added: Object.fromEntries(added) });
    await objects.put(SPACE_KEY, Buffer.from(text), { volatile: true });
  } catch (error) {
    if (!isImagesError(error, 'READ_ONLY', 'NO_ACCESS', 'NO_SPACE')) throw error;
  }
}
