// Which images `lreg_rm` removes: names as they are given, and patterns over what the private registry has, perhaps only those that nobody has used for long.

import { createLimiter } from '../../io/concurrency/limiter.ts';
import { arrayOf, checkArguments, objectWith } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import { DEFAULT_TAG, formatReference, parseReference, type Reference } from '../../oci/reference.ts';
import { type ImageGlob, matchesImage, parseImageGlob } from '../../registry/policies/image-glob.ts';
import { storeTime } from '../../storage/collector/store-time.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import { revisionLinkKey } from '../../storage/layout/registry-keys.ts';
import { pinsIn } from '../../storage/repositories/pins.ts';
import { pullsOf } from '../../storage/repositories/pull-records.ts';
import { tagUse } from '../../storage/repositories/tag-use.ts';
import { CALL, REFERENCE, REGISTRY, TEXTS } from '../arguments.ts';
import { callOptions, type TaskCall } from '../settings.ts';
import { listRegistry } from './list-registry.ts';
import { findImage, notLoaded, type PrivateRegistry } from './private-registry.ts';

export interface ChosenImage {
  readonly reference: Reference;
  /** When it was last pushed or pulled, if that was asked for. */
  readonly used?: Date;
  /** A pattern means it, and it is pinned: it was not named, so it stays unless its pin may go, too. */
  readonly isPinned?: true;
}

export interface ImageChoice {
  /** References, or patterns: `REPOSITORY:TAG` with `*`, `**` and `?`. */
  readonly names: readonly string[];
  /** In milliseconds: images that were pushed or pulled since then are left out. */
  readonly olderThanMs?: number;
}

const READS = 16;

/** Whether the name has `*` or `?`: it may mean several images (`chooseImages`). */
export function isImagePattern(name: string): boolean {
  return /[*?]/.test(name);
}

/**
 * The images, each once, in the order of the names. A pattern may match none. Errors: USAGE (a pattern without a tag, or none at all), UNSUPPORTED (the age is not
 * known of another registry's images), MANIFEST_UNKNOWN (with `olderThanMs`, a name that is not there).
 */
export async function chooseImages(
  choice: ImageChoice,
  registry: PrivateRegistry,
  settings: TaskCall,
): Promise<readonly ChosenImage[]> {
  checkArguments({
    choice: [choice, objectWith({ names: TEXTS })],
    registry: [registry, REGISTRY],
    settings: [settings, CALL],
  });
  const { names, olderThanMs } = choice;
  const globs = new Map(names.filter(isImagePattern).map((name) => [name, globIn(name)]));
  const listed = globs.size > 0 ? await listRegistry(registry, settings) : [];
  const chosen = new Map<string, Reference>();
  const add = (reference: Reference) => chosen.set(formatReference(reference), reference);
  for (const name of names) {
    const glob = globs.get(name);
    if (!glob) add(parseReference(name));
    else
      for (const { name: path, tags } of listed)
        for (const tag of tags) if (matchesImage(glob, path, tag)) add({ path, tag });
  }
  const pinned = await pinnedByPattern(names, chosen, registry);
  const isPinned = (reference: Reference) => pinned.has(reference) && ({ isPinned: true } as const);
  const references = [...chosen.values()];
  if (olderThanMs === undefined) return references.map((reference) => ({ reference, ...isPinned(reference) }));
  const ageOf = await agesIn(registry);
  const aged = await createLimiter(READS).map(
    references,
    async (reference) => ({
      reference,
      used: await lastUse(reference, registry, settings),
      ...isPinned(reference),
    }),
    settings.signal,
  );
  return aged.filter(({ used }) => ageOf(used) >= olderThanMs);
}

/** Those of the chosen images that are pinned, and not among the names. Of another registry that is not known. */
async function pinnedByPattern(
  names: readonly string[],
  chosen: ReadonlyMap<string, Reference>,
  { store }: PrivateRegistry,
): Promise<ReadonlySet<Reference>> {
  const pinned = new Set<Reference>();
  if (!store) return pinned;
  const pins = await Array.fromAsync(pinsIn(store.objects).all());
  const pinnedNames = new Set(pins.map(({ repository, reference }) => `${repository}:${reference}`));
  const named = new Set(
    names.filter((name) => !isImagePattern(name)).map((name) => formatReference(parseReference(name))),
  );
  for (const [text, reference] of chosen) {
    const { path, tag = DEFAULT_TAG } = reference;
    if (!named.has(text) && [path, `library/${path}`].some((name) => pinnedNames.has(`${name}:${tag}`)))
      pinned.add(reference);
  }
  return pinned;
}

/** In milliseconds: as the store has seen the time pass, because a clock may jump. */
async function agesIn({ store }: PrivateRegistry): Promise<(time: Date) => number> {
  if (!store) return (time) => Date.now() - time.getTime();
  return (await storeTime(store, { isRecorded: false, step: async () => {} })).ageOf;
}

/**
 * Those of the images that nobody has pushed or pulled since they were chosen, if their age counts: the user may have thought about it for long. Errors: as
 * `chooseImages`, without MANIFEST_UNKNOWN.
 */
export async function stillOld(
  chosen: readonly ChosenImage[],
  registry: PrivateRegistry,
  settings: TaskCall,
): Promise<readonly ChosenImage[]> {
  checkArguments({
    chosen: [chosen, arrayOf(objectWith({ reference: REFERENCE }))],
    registry: [registry, REGISTRY],
    settings: [settings, CALL],
  });
  const looked = await createLimiter(READS).map(
    chosen,
    async (image) => {
      if (image.used === undefined) return [image];
      const used = await lastUseIfThere(image.reference, registry, settings);
      return used && used.getTime() <= image.used.getTime() ? [image] : [];
    },
    settings.signal,
  );
  return looked.flat();
}

/** Errors: USAGE. */
function globIn(name: string): ImageGlob {
  const glob = parseImageGlob(name);
  if (!glob) {
    throw new ImagesError('USAGE', `not a pattern of images [${name}]`, {
      hint: 'Write REPOSITORY:TAG, as lreg_ls shows them; * stands for anything but /, ** also for that, ? for one character.',
    });
  }
  if (!name.slice(name.lastIndexOf('/') + 1).includes(':')) {
    throw new ImagesError('USAGE', `no tag is named [${name}]`, { hint: `For all of them: '${name}:*'.` });
  }
  return glob;
}

/** Since the last push or pull, as recorded. What has no record is as old as its link. */
async function lastUse(reference: Reference, registry: PrivateRegistry, settings: TaskCall): Promise<Date> {
  const used = await lastUseIfThere(reference, registry, settings);
  if (!used) throw notLoaded(reference);
  return used;
}

async function lastUseIfThere(
  reference: Reference,
  registry: PrivateRegistry,
  settings: TaskCall,
): Promise<Date | undefined> {
  const { store } = registry;
  if (!store) {
    throw new ImagesError(
      'UNSUPPORTED',
      `only the embedded registry knows how old its images are [${registry.label}]`,
      {
        hint: 'Run it where the registry runs, as its user, with --data=DIR.',
      },
    );
  }
  const found = await findImage(reference, registry, callOptions(settings));
  const path = found?.repository ?? reference.path;
  const tag = reference.tag ?? DEFAULT_TAG;
  const byTag = reference.digest === undefined ? await useOfTag(store, path, tag) : undefined;
  return byTag ?? (found && (await useOfManifest(store, path, found.descriptor.digest)));
}

async function useOfTag(store: EmbeddedStore, path: string, tag: string): Promise<Date | undefined> {
  for (const name of [path, `library/${path}`]) {
    const use = await tagUse(store.objects, name, tag);
    if (use) return use.used;
  }
  return undefined;
}

async function useOfManifest(
  { objects }: EmbeddedStore,
  path: string,
  digest: NonNullable<Reference['digest']>,
): Promise<Date | undefined> {
  for (const name of [path, `library/${path}`]) {
    const link = await objects.stat(revisionLinkKey(name, digest));
    if (!link) continue;
    const pulls = await pullsOf(objects, name, digest);
    return pulls && pulls.last > link.modified ? pulls.last : link.modified;
  }
  return undefined;
}
