// When garbage was last collected.
import { isImagesError } from '../../oci/errors.ts';
import { COLLECTED_KEY, FORMAT_KEY } from '../layout/store-keys.ts';
import type { Objects } from '../objects.ts';
import { FORMAT } from './store-format.ts';

/** Records that the store was collected now, and that it may be collected by schedule from now on. On a full disk, nothing is recorded. */
export async function noteCollected(objects: Objects): Promise<void> {
  try {
    await objects.put(FORMAT_KEY, Buffer.from(FORMAT), { ifAbsent: true });
    await objects.put(COLLECTED_KEY, Buffer.from(new Date().toISOString()), { volatile: true });
  } catch (error) {
    if (!isImagesError(error, 'NO_SPACE')) throw error;
  }
}

/** When garbage was last collected; `undefined` if it never was. */
export async function lastCollected(objects: Objects): Promise<Date | undefined> {
  const bytes = await objects.get(COLLECTED_KEY);
  const at = bytes && new Date(Buffer.from(bytes).toString());
  return at && !Number.isNaN(at.getTime()) ? at : undefined;
}
