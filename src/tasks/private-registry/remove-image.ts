// `lreg_rm`: a tag alone where the registry can do so, a manifest with all its tags by digest; by stripped or full name.
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { DEFAULT_TAG, type Reference, tagOrDigest } from '../../oci/reference.ts';
import type { Registry } from '../../registry/contract.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import { linkedManifest } from '../../storage/list-manifests.ts';
import { withUnneeded } from '../../storage/remove-unneeded.ts';
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

/** One after the other. An image that was there and went with one that was named before it is removed as well: it may be named twice. Errors: as `removeImage`. */
export async function removeImages(
  references: readonly Reference[],
  registry: PrivateRegistry,
  settings: TaskCall,
): Promise<void> {
  const [only] = references;
  if (only && references.length === 1) return await removeImage(only, registry, settings);
  const there = new Set<Reference>();
  for (const reference of references) if (await findImage(reference, registry, settings)) there.add(reference);
  for (const reference of references) {
    try {
      await removeImage(reference, registry, settings);
    } catch (error) {
      if (!isImagesError(error, 'MANIFEST_UNKNOWN') || !there.has(reference)) throw error;
    }
  }
}

/**
 * Removes a tag, or by digest a manifest with all its tags.
 * Errors: MANIFEST_UNKNOWN (not there), UNSUPPORTED (the registry deletes nothing, or not this tag alone), READ_ONLY, NO_ACCESS.
 */
export async function removeImage(reference: Reference, registry: PrivateRegistry, settings: TaskCall): Promise<void> {
  const { host, ...unnamed } = reference;
  const targets: readonly RemovalTarget[] = [
    ...fullNames(reference).map((path) => ({ reference: unnamed, path, settings })),
    ...[reference, ...withoutOwnHost(reference, registry)].flatMap((name) =>
      strippedNames(name).map((path) => ({ reference: name, path, settings })),
    ),
  ];
  for (const target of targets) {
    const removed = registry.store
      ? await removeFromStore(registry.store, target)
      : await removeOverHttp(registry.registry, target);
    if (removed) return;
  }
  throw notLoaded(reference);
}

/** The name, and then what is needed under no other name. */
async function removeFromStore(store: EmbeddedStore, target: RemovalTarget): Promise<boolean> {
  const { reference, path, settings } = target;
  const { host, tag = DEFAULT_TAG } = reference;
  const recorded = host === undefined ? undefined : await store.names.get(host, path, tag);
  const stripped = await linkedManifest(store.objects, path, tagOrDigest(reference));
  const meant = reference.digest ?? recorded ?? stripped;
  if (meant === undefined) return false;
  return await withUnneeded(
    { digest: meant, tag: reference.digest ? undefined : tag },
    { store, repository: path, ...callOptions(settings) },
    () => removeName(store, target, { recorded, stripped }),
  );
}

interface Meanings {
  readonly recorded: Digest | undefined;
  readonly stripped: Digest | undefined;
}

/** A stripped name takes the records that mean the same along; a full name goes alone, unless it is what the stripped name means. */
async function removeName(
  store: EmbeddedStore,
  target: RemovalTarget,
  { recorded, stripped }: Meanings,
): Promise<boolean> {
  const { reference, path, settings } = target;
  const { host, digest, tag = DEFAULT_TAG } = reference;
  if (digest !== undefined) return await removeStored(store, target);
  if (host === undefined) {
    if (!(await removeStored(store, target))) return false;
    // Those of a damaged manifest are still there.
    for (const name of await store.names.hostsOf(path, tag)) {
      if (name.digest === stripped) await store.names.delete(name.host, path, tag);
    }
    return true;
  }
  const others = (await store.names.hostsOf(path, tag)).filter((other) => other.host !== host);
  if (recorded === undefined) {
    // Another host's image has this name; without any record the name may be this host's.
    return stripped !== undefined && others.length === 0 && (await removeStored(store, target));
  }
  await store.names.delete(host, path, tag);
  if (stripped !== recorded || others.some((other) => other.digest === recorded)) return true;
  const [heir] = others;
  if (heir) await pointTo(store.stripped, { path, tag, digest: heir.digest });
  else await store.stripped.deleteTag(path, tag, callOptions(settings));
  return true;
}

/** The stripped name goes back to what was cached before from another host. */
async function pointTo(
  registry: Registry,
  { path, tag, digest }: { readonly path: string; readonly tag: string; readonly digest: Digest },
): Promise<void> {
  await registry.putManifest(path, await registry.getManifest(path, digest), [tag]);
}

/** The name alone, in process. */
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
    // Found under another spelling: the next one is it.
    if (isImagesError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) return false;
    throw error;
  }
  return true;
}
