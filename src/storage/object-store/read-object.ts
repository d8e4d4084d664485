// Reads an object whole.
import type { ObjectStore } from './object-store.ts';

/** `undefined` if there is none. */
export async function readObject(objects: Pick<ObjectStore, 'get'>, key: string): Promise<Uint8Array | undefined> {
  const body = await objects.get(key);
  if (!body) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
}
