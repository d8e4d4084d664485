// Which stores may be collected without being asked: those that this program made, and those that were collected once by hand.
import { FORMAT_KEY } from '../layout/store-keys.ts';
import type { Objects } from '../objects.ts';

/** The version of the layout in which this program records how manifests came (manifest-history). */
export const FORMAT = '1';

/** To be called before a manifest is written: records of a store without manifests that this program made it. */
export async function markNewStore(objects: Objects, repositories: AsyncIterable<string>): Promise<void> {
  if (await objects.stat(FORMAT_KEY)) return;
  for await (const _ of repositories) return;
  await objects.put(FORMAT_KEY, Buffer.from(FORMAT), { ifAbsent: true });
}

/** Whether the store may be collected by schedule once it has something: it may now, or has no manifests yet. */
export async function willBeCollectedUnasked(objects: Objects, repositories: AsyncIterable<string>): Promise<boolean> {
  if (await mayCollectUnasked(objects)) return true;
  for await (const _ of repositories) return false;
  return true;
}

/** Whether the store may be collected by schedule. */
export async function mayCollectUnasked(objects: Objects): Promise<boolean> {
  return (await objects.stat(FORMAT_KEY)) !== undefined;
}
