// Reads an object whole.
import { joined } from '../../io/streams/joined.ts';
import type { ObjectStore } from './object-store.ts';

/** `undefined` if there is none. */
export async function readObject(objects: Pick<ObjectStore, 'get'>, key: string): Promise<Uint8Array | undefined> {
  const body = await objects.get(key);
  return body && (await joined(body));
}
