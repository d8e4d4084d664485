// `lreg_rm`: a tag alone where the registry can do so, a manifest with all its tags by digest; by stripped or full name.
import type { Digest } from '../oci/digest.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import { DEFAULT_TAG, formatReference, type Reference, tagOrDigest } from '../oci/reference.ts';
import type { Registry } from '../registry/contract.ts';
import type { EmbeddedStore } from '../storage/embedded-store.ts';
import { fullNames, notLoaded, type PrivateRegistry, strippedNames, withoutOwnHost } from './private-registry.ts';
import { belongingTo, removeUnneeded } from './remove-unneeded.ts';
import { callOptions, type Settings } from './settings.ts';

/** Errors: MANIFEST_UNKNOWN (not there), UNSUPPORTED (the registry deletes nothing, or not this tag alone), READ_ONLY, NO_ACCESS. */
export async function removeImage(reference: Reference, registry: PrivateRegistry, settings: Settings): Promise<void> {
  const { host, ...unnamed } = reference;
  const targets: readonly Target[] = [
    ...fullNames(reference).map((path) => ({ reference: unnamed, path, settings })),
    ...[reference, ...withoutOwnHost(reference, registry)].flatMap((name) =>
      strippedNames(name).map((path) => ({ reference: name, path, settings })),
    ),
  ];
  for (const target of targets) {
    const removed = registry.store
      ? await removeFromStore(registry.store, target)
      : await removeFrom(registry.registry, target);
    if (removed) return;
  }
  throw notLoaded(reference);
}

interface Target {
  readonly reference: Reference;
  /** One spelling of its path. */
  readonly path: string;
  readonly settings: Settings;
}

/** The name, and then what is needed under no other name. */
async function removeFromStore(store: EmbeddedStore, target: Target): Promise<boolean> {
  const { reference, path, settings } = target;
  const { host, tag = DEFAULT_TAG } = reference;
  const recorded = host === undefined ? undefined : await store.names.get(host, path, tag);
  const stripped = await store.stripped.statManifest(path, tagOrDigest(reference), callOptions(settings));
  const meant = reference.digest ?? recorded ?? stripped?.digest;
  if (meant === undefined) return false;
  const image = { store, repository: path, ...callOptions(settings) };
  const belonging = await belongingTo(meant, image);
  if (!(await removeName(store, target, { recorded, stripped: stripped?.digest }))) return false;
  await removeUnneeded([meant, ...belonging], image);
  return true;
}

interface Meanings {
  readonly recorded: Digest | undefined;
  readonly stripped: Digest | undefined;
}

/** A stripped name takes the records that mean the same along; a full name goes alone, unless it is what the stripped name means. */
async function removeName(store: EmbeddedStore, target: Target, { recorded, stripped }: Meanings): Promise<boolean> {
  const { reference, path, settings } = target;
  const { host, digest, tag = DEFAULT_TAG } = reference;
  if (host === undefined || digest !== undefined) return await removeFrom(store.registry, target);
  const others = (await store.names.hostsOf(path, tag)).filter((other) => other.host !== host);
  if (recorded === undefined) {
    // Another host's image has this name; without any record the name may be this host's.
    return stripped !== undefined && others.length === 0 && (await removeFrom(store.registry, target));
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

async function removeFrom(registry: Registry, { reference, path, settings }: Target): Promise<boolean> {
  const options = callOptions(settings);
  const { digest, tag = DEFAULT_TAG } = reference;
  const descriptor = await registry.statManifest(path, digest ?? tag, options);
  if (!descriptor) return false;
  try {
    if (digest !== undefined) await registry.deleteManifest(path, digest, options);
    else await registry.deleteTag(path, tag, options);
  } catch (error) {
    // Found under another spelling: the next one is it.
    if (isImagesError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) return false;
    if (!isImagesError(error, 'UNSUPPORTED')) throw error;
    if (digest !== undefined) throw deletesNothing(reference, error);
    await removeOnlyTag(registry, { reference, path, settings }, descriptor.digest);
  }
  return true;
}

/** docker-registry deletes manifests only, with all their tags: right where this is the only one. */
async function removeOnlyTag(registry: Registry, { reference, path, settings }: Target, digest: Digest): Promise<void> {
  const options = callOptions(settings);
  for await (const tag of registry.tags(path, undefined, options)) {
    if (tag === (reference.tag ?? DEFAULT_TAG)) continue;
    if ((await registry.statManifest(path, tag, options))?.digest !== digest) continue;
    throw new ImagesError('UNSUPPORTED', `the registry cannot remove this tag alone [${formatReference(reference)}]`, {
      hint: `${path}:${tag} is the same image. To remove both: images lreg_rm ${path}@${digest}`,
    });
  }
  try {
    await registry.deleteManifest(path, digest, options);
  } catch (error) {
    throw isImagesError(error, 'UNSUPPORTED') ? deletesNothing(reference, error) : error;
  }
}

function deletesNothing(reference: Reference, cause: unknown): ImagesError {
  return new ImagesError('UNSUPPORTED', `the registry does not delete [${formatReference(reference)}]`, {
    hint: 'Start it with deleting enabled: docker-registry wants REGISTRY_STORAGE_DELETE_ENABLED=true.',
    cause,
  });
}
