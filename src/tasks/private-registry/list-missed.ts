// `lreg_missed`: what was asked for and not there, as the registry wrote it down.
import { checkArguments } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import { forgetMissed, type MissedImage, missedImages } from '../../storage/repositories/missed-images.ts';
import { REGISTRY } from '../arguments.ts';
import type { PrivateRegistry } from './private-registry.ts';

/** That which was asked for last comes last. Errors: UNSUPPORTED (not the embedded registry), NO_ACCESS. */
export async function listMissed(registry: PrivateRegistry): Promise<readonly MissedImage[]> {
  checkArguments({ registry: [registry, REGISTRY] });
  return await missedImages(storeOf(registry).objects);
}

/** Forgets all of it. Errors: UNSUPPORTED, READ_ONLY, NO_ACCESS. */
export async function clearMissed(registry: PrivateRegistry): Promise<void> {
  checkArguments({ registry: [registry, REGISTRY] });
  await forgetMissed(storeOf(registry).objects);
}

function storeOf({ store, label }: PrivateRegistry): EmbeddedStore {
  if (store) return store;
  throw new ImagesError('UNSUPPORTED', `only the embedded registry remembers what was missed [${label}]`, {
    hint: 'Run it where the registry runs, as its user, with --data=DIR.',
  });
}
