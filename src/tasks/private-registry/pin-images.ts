// `lreg_pin`, `lreg_unpin`: what nobody removes, neither retention nor `lreg_rm` without --force.
import { checkArguments } from '../../oci/arguments.ts';
import { isDigest } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { DEFAULT_TAG, formatReference, type Reference, tagOrDigest } from '../../oci/reference.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import { linkedManifest } from '../../storage/repositories/list-manifests.ts';
import { type Pin, pinsIn } from '../../storage/repositories/pins.ts';
import { CALL, REFERENCES, REGISTRY } from '../arguments.ts';
import type { TaskCall } from '../settings.ts';
import { findImage, notLoaded, type PrivateRegistry, strippedNames, withoutOwnHost } from './private-registry.ts';

export interface ListedPin extends Pin {
  /** Absent if the image is no longer there: docker-registry knows no pins. */
  readonly digest?: string;
}

/** Pins what the references mean, a tag or by digest a manifest. Errors: MANIFEST_UNKNOWN (nothing is pinned then), UNSUPPORTED (not the embedded registry), READ_ONLY, NO_ACCESS. */
export async function pinImages(
  references: readonly Reference[],
  registry: PrivateRegistry,
  settings: TaskCall,
): Promise<readonly Pin[]> {
  checkArguments({ references: [references, REFERENCES], registry: [registry, REGISTRY], settings: [settings, CALL] });
  const store = storeOf(registry);
  const found: Pin[] = [];
  for (const reference of references) {
    if (!(await findImage(reference, registry, settings))) throw notLoaded(reference);
    const pin = await pinFor(reference, registry, store);
    if (!pin) throw notLoaded(reference);
    found.push(pin);
  }
  const pins = pinsIn(store.objects);
  for (const [at, pin] of found.entries()) {
    await pins.add(pin);
    // It may have been removed just before it was pinned.
    if ((await linkedManifest(store.objects, pin.repository, pin.reference)) !== undefined) continue;
    await pins.remove(pin);
    throw notLoaded(references[at] as Reference);
  }
  return found;
}

/** Takes pins away. Errors: MANIFEST_UNKNOWN (it is not pinned), UNSUPPORTED, READ_ONLY, NO_ACCESS. */
export async function unpinImages(
  references: readonly Reference[],
  registry: PrivateRegistry,
): Promise<readonly Pin[]> {
  checkArguments({ references: [references, REFERENCES], registry: [registry, REGISTRY] });
  const pins = pinsIn(storeOf(registry).objects);
  const removed: Pin[] = [];
  for (const reference of references) {
    const before = removed.length;
    for (const pin of possiblePins(reference, registry)) {
      if (await pins.remove(pin)) removed.push(pin);
    }
    if (removed.length > before) continue;
    throw new ImagesError('MANIFEST_UNKNOWN', `it is not pinned [${formatReference(reference)}]`, {
      hint: '`images lreg_pin` lists what is.',
    });
  }
  return removed;
}

/** All pins of the store. Errors: UNSUPPORTED (not the embedded registry). */
export async function listPins(registry: PrivateRegistry): Promise<readonly ListedPin[]> {
  checkArguments({ registry: [registry, REGISTRY] });
  const { objects } = storeOf(registry);
  const pins: ListedPin[] = [];
  for await (const pin of pinsIn(objects).all()) {
    const digest = await linkedManifest(objects, pin.repository, pin.reference);
    pins.push({ ...pin, ...(digest && { digest }) });
  }
  return pins;
}

/** The pin is where the tag is: the store's names have no hosts. */
async function pinFor(
  reference: Reference,
  registry: PrivateRegistry,
  { objects }: EmbeddedStore,
): Promise<Pin | undefined> {
  for (const pin of possiblePins(reference, registry)) {
    if ((await linkedManifest(objects, pin.repository, pin.reference)) !== undefined) return pin;
  }
  return undefined;
}

function possiblePins(reference: Reference, registry: PrivateRegistry): readonly Pin[] {
  const wanted = tagOrDigest(reference);
  return [reference, ...withoutOwnHost(reference, registry)]
    .flatMap((name) => [...strippedNames(name), ...(name.host === undefined ? [] : [`${name.host}/${name.path}`])])
    .map((repository) => ({ repository, reference: isDigest(wanted) ? wanted : (reference.tag ?? DEFAULT_TAG) }));
}

function storeOf({ label, store }: PrivateRegistry): EmbeddedStore {
  if (store) return store;
  throw new ImagesError('UNSUPPORTED', `pins are kept in the store of an embedded registry [${label}]`, {
    hint: 'Name its data directory with --data=DIR.',
  });
}
