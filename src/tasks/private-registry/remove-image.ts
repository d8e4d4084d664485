// `lreg_rm`: removes only a tag if the registry can do so, or by digest a manifest with all its tags. Takes stripped and full names.

import { addAll } from '../../oci/add-all.ts';
import { checkArguments } from '../../oci/arguments.ts';
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { DEFAULT_TAG, type Reference, tagOrDigest } from '../../oci/reference.ts';
import type { Registry } from '../../registry/contract.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import { linkedManifest } from '../../storage/repositories/list-manifests.ts';
import { isPinned, pinsOfManifest } from '../../storage/repositories/pinned-images.ts';
import { type Pin, pinsIn } from '../../storage/repositories/pins.ts';
import { removeName } from '../../storage/repositories/remove-name.ts';
import { removeUnneeded } from '../../storage/repositories/remove-unneeded.ts';
import { CALL, OPTIONS, REFERENCE, REFERENCES, REGISTRY } from '../arguments.ts';
import { callOptions, type TaskCall } from '../settings.ts';
import {
  findImage,
  fullNames,
  notLoaded,
  type PrivateRegistry,
  strippedNames,
  withoutOwnHost,
} from './private-registry.ts';
import { type RemovalTarget, removeOverHttp } from './remove-over-http.ts';

/**
 * Removes one after the other, or nothing if one of them is pinned. An image that was removed together with an earlier one of the list is no error, because two
 * references may mean the same.
 * Errors: as `removeImage`.
 */
export async function removeImages(
  references: readonly Reference[],
  registry: PrivateRegistry,
  settings: TaskCall,
  options: RemoveOptions = {},
): Promise<void> {
  checkArguments({
    references: [references, REFERENCES],
    registry: [registry, REGISTRY],
    settings: [settings, CALL],
    options: [options, OPTIONS],
  });
  const [only] = references;
  if (only && references.length === 1) return await removeImage(only, registry, settings, options);
  const there = new Set<Reference>();
  for (const reference of references) if (await findImage(reference, registry, settings)) there.add(reference);
  if (!options.force) await refusePinned(references, registry, settings);
  const unneeded: Unneeded = new Map();
  try {
    for (const reference of references) {
      try {
        await removeOne(reference, registry, { ...options, settings, unneeded });
      } catch (error) {
        if (!isImagesError(error, 'MANIFEST_UNKNOWN') || !there.has(reference)) throw error;
      }
    }
  } finally {
    await sweep(registry, { settings, unneeded });
  }
}

/**
 * Removes a tag, or by digest a manifest with all its tags.
 * Errors: MANIFEST_UNKNOWN (not there), DENIED (pinned), UNSUPPORTED (the registry deletes nothing, or not this tag alone), READ_ONLY, NO_ACCESS.
 */
export async function removeImage(
  reference: Reference,
  registry: PrivateRegistry,
  settings: TaskCall,
  options: RemoveOptions = {},
): Promise<void> {
  checkArguments({
    reference: [reference, REFERENCE],
    registry: [registry, REGISTRY],
    settings: [settings, CALL],
    options: [options, OPTIONS],
  });
  const unneeded: Unneeded = new Map();
  await removeOne(reference, registry, { ...options, settings, unneeded });
  await sweep(registry, { settings, unneeded });
}

export interface RemoveOptions {
  /** Also removes what is pinned, with its pin. */
  readonly force?: boolean | undefined;
}

/** By repository of the store, what nothing may need once the names have gone. Repositories are read once for all names that are removed. */
type Unneeded = Map<string, Digest[]>;

interface Removing extends RemoveOptions {
  readonly settings: TaskCall;
  readonly unneeded: Unneeded;
}

async function sweep({ store }: PrivateRegistry, { settings, unneeded }: Removing): Promise<void> {
  if (!store) return;
  for (const [repository, digests] of unneeded) {
    await removeUnneeded(digests, { store, repository, ...callOptions(settings) });
  }
}

async function removeOne(
  reference: Reference,
  registry: PrivateRegistry,
  { settings, unneeded, force }: Removing,
): Promise<void> {
  for (const target of targetsOf(reference, registry, settings)) {
    const removed = registry.store
      ? await removeFromStore(registry.store, target, { unneeded, force })
      : await removeOverHttp(registry.registry, target);
    if (removed) return;
  }
  throw notLoaded(reference);
}

/** What the reference may mean, in the order in which it is looked for. */
function targetsOf(reference: Reference, registry: PrivateRegistry, settings: TaskCall): readonly RemovalTarget[] {
  const { host: _, ...unnamed } = reference;
  return [
    ...fullNames(reference).map((path) => ({ reference: unnamed, path, settings })),
    ...[reference, ...withoutOwnHost(reference, registry)].flatMap((name) =>
      strippedNames(name).map((path) => ({ reference: name, path, settings })),
    ),
  ];
}

/** Whether all of them are there, and may be removed as far as that is known before. Errors: MANIFEST_UNKNOWN (not there), DENIED (pinned). */
export async function checkRemoval(
  references: readonly Reference[],
  registry: PrivateRegistry,
  settings: TaskCall,
  options: RemoveOptions = {},
): Promise<void> {
  checkArguments({
    references: [references, REFERENCES],
    registry: [registry, REGISTRY],
    settings: [settings, CALL],
    options: [options, OPTIONS],
  });
  for (const reference of references) if (!(await findImage(reference, registry, settings))) throw notLoaded(reference);
  if (!options.force) await refusePinned(references, registry, settings);
}

/** Before the first is removed: else it would have to be said how far it came. Another registry says it when it is asked to remove. */
async function refusePinned(
  references: readonly Reference[],
  registry: PrivateRegistry,
  settings: TaskCall,
): Promise<void> {
  const { store } = registry;
  if (!store) return;
  for (const reference of references) {
    for (const target of targetsOf(reference, registry, settings)) {
      if ((await meaningsOf(store, target)).meant === undefined) continue;
      const [pin] = await pinsAgainst(store, target);
      if (pin) throw isPinned(pin);
      break;
    }
  }
}

/** Removes the name, and notes the content that no other name may need. */
async function removeFromStore(
  store: EmbeddedStore,
  target: RemovalTarget,
  { unneeded, force = false }: Pick<Removing, 'unneeded' | 'force'>,
): Promise<boolean> {
  const { reference, path, settings } = target;
  const { tag = DEFAULT_TAG } = reference;
  const { recorded, stripped, meant } = await meaningsOf(store, target);
  if (meant === undefined) return false;
  const pins = await pinsAgainst(store, target);
  if (!force && pins[0]) throw isPinned(pins[0]);
  for (const pin of pins) await pinsIn(store.objects).remove(pin);
  const left = await removeName(
    { digest: meant, tag: reference.digest ? undefined : tag },
    { store, repository: path, ...callOptions(settings) },
    () => removeMeaning(store, target, { recorded, stripped }),
  );
  if (!left) return false;
  const digests = unneeded.get(path) ?? [];
  addAll(digests, left);
  unneeded.set(path, digests);
  return true;
}

/** The pins that would be removed with the name. */
async function pinsAgainst(store: EmbeddedStore, { reference, path }: RemovalTarget): Promise<readonly Pin[]> {
  const { tag = DEFAULT_TAG } = reference;
  if (reference.digest !== undefined) return await pinsOfManifest(store, path, reference.digest);
  const pin = { repository: path, reference: tag };
  return (await pinsIn(store.objects).has(pin)) ? [pin] : [];
}

interface Meanings {
  readonly recorded: Digest | undefined;
  readonly stripped: Digest | undefined;
}

async function meaningsOf(
  store: EmbeddedStore,
  { reference, path }: RemovalTarget,
): Promise<Meanings & { readonly meant: Digest | undefined }> {
  const { host, tag = DEFAULT_TAG } = reference;
  const recorded = host === undefined ? undefined : await store.names.get(host, path, tag);
  const stripped = await linkedManifest(store.objects, path, tagOrDigest(reference));
  return { recorded, stripped, meant: reference.digest ?? recorded ?? stripped };
}

/** Removing a stripped name also removes the full names recorded for the same digest. Removing a full name keeps the stripped name, unless that points to the same digest. */
async function removeMeaning(
  store: EmbeddedStore,
  target: RemovalTarget,
  { recorded, stripped }: Meanings,
): Promise<boolean> {
  const { reference, path, settings } = target;
  const { host, digest, tag = DEFAULT_TAG } = reference;
  if (digest !== undefined) return await removeStored(store, target);
  if (host === undefined) {
    if (!(await removeStored(store, target))) return false;
    // The store still has the records if the manifest is damaged.
    for (const name of await store.names.hostsOf(path, tag)) {
      if (name.digest === stripped) await store.names.delete(name.host, path, tag);
    }
    return true;
  }
  const others = (await store.names.hostsOf(path, tag)).filter((other) => other.host !== host);
  if (recorded === undefined) {
    // If records of other hosts exist, the name belongs to them. Without any record it may belong to this host.
    return stripped !== undefined && others.length === 0 && (await removeStored(store, target));
  }
  await store.names.delete(host, path, tag);
  if (stripped !== recorded || others.some((other) => other.digest === recorded)) return true;
  const [heir] = others;
  if (heir) await pointTo(store.stripped, { path, tag, digest: heir.digest });
  else await store.stripped.deleteTag(path, tag, callOptions(settings));
  return true;
}

/** Lets the stripped name point again to the image that another host has under this name. */
async function pointTo(
  registry: Registry,
  { path, tag, digest }: { readonly path: string; readonly tag: string; readonly digest: Digest },
): Promise<void> {
  await registry.putManifest(path, await registry.getManifest(path, digest), [tag]);
}

/** Removes only the name, in process. */
async function removeStored(
  { registry }: EmbeddedStore,
  { reference, path, settings }: RemovalTarget,
): Promise<boolean> {
  const options = callOptions(settings);
  const { digest, tag = DEFAULT_TAG } = reference;
  try {
    if (digest !== undefined) await registry.deleteManifest(path, digest, options);
    else await registry.deleteTag(path, tag, options);
  } catch (error) {
    // The image was found by another path, which the caller tries next.
    if (isImagesError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) return false;
    throw error;
  }
  return true;
}
