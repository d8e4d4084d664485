// What the parts of the contract of ObjectStore share.
import type { ObjectStore, Stage } from '../../../src/storage/object-store/object-store.ts';
import { collect } from '../content.ts';

/** Each call returns an empty store. */
export type MakeObjectStore = () => Promise<ObjectStore>;

export async function opened(store: ObjectStore, id: string): Promise<Stage> {
  const stage = await store.stage(id);
  if (!stage) throw new Error('no stage');
  return stage;
}

export async function textOf(store: ObjectStore, key: string): Promise<string | undefined> {
  const body = await store.get(key);
  return body && `${await collect(body)}`;
}
