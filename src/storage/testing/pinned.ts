// An image in a registry, for tests of what is pinned and pushed while it is deleted.
import { imageOf } from '../../../test/contract/content.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Registry } from '../../registry/contract.ts';
import { stagedStore } from '../drivers/staged-store.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { linkedManifest } from '../repositories/list-manifests.ts';
import { pinsIn } from '../repositories/pins.ts';
import { storedRegistry } from '../repositories/stored-registry.ts';

export const image: ReturnType<typeof imageOf> = imageOf('image');
export const other: ReturnType<typeof imageOf> = imageOf('other');
export const digest: Digest = image.manifest.digest;
export const registryOf = (objects: ObjectStore): Registry => storedRegistry(stagedStore(objects));

/** As `lreg_pin` does it. */
export async function pin(objects: ObjectStore, reference: string): Promise<boolean> {
  const store = stagedStore(objects).objects;
  await pinsIn(store).add({ repository: 'app', reference });
  if ((await linkedManifest(store, 'app', reference)) !== undefined) return true;
  await pinsIn(store).remove({ repository: 'app', reference });
  return false;
}
