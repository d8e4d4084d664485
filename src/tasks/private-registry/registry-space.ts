// `lreg_du`: how much space the images of the embedded registry take, what else there is, and what garbage collection would free.
import { checkArguments, OBJECT } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import { matchesGlob, matchesImage, parseImageGlob } from '../../registry/policies/image-glob.ts';
import { spellings } from '../../registry/policies/name-lookup.ts';
import { collectStore } from '../../storage/collector/collect.ts';
import type { CollectionEvent } from '../../storage/collector/run.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import { type SpaceSample, spaceSamples, unfinishedBytes } from '../../storage/repositories/space-samples.ts';
import { measureStore, type RepositorySpace, type StoreSpace } from '../../storage/space/measure.ts';
import { CALL, REGISTRY } from '../arguments.ts';
import { callOptions, type TaskCall } from '../settings.ts';
import { fetchedNames } from './fetched-images.ts';
import type { PrivateRegistry } from './private-registry.ts';

export interface RegistrySpace {
  /** The data directory. */
  readonly data: string;
  /** Of the whole store, whatever names were given. */
  readonly total: Omit<StoreSpace, 'repositories'> & {
    /** In bytes: uploads that have not ended; absent where that cannot be seen. They are no blobs yet. */
    readonly uploads?: number;
    /** In bytes: what garbage collection frees now, and what it can free later. */
    readonly reclaimable: { readonly now: number; readonly later: number };
  };
  /** Those that were named, else all, in the order of their names. A repository has those of its images that were named. */
  repositories(): Generator<RepositorySpace>;
}

export interface SpaceRequest {
  /** `REPOSITORY[:TAG]`, with `*`, `**` and `?`. Empty: all. */
  readonly names?: readonly string[];
  readonly onEvent?: (event: CollectionEvent) => void;
}

/**
 * Measures how much space images take. The whole store is read, whatever names are given. Errors: UNSUPPORTED (the private registry is not the embedded one),
 * USAGE (not a name), NAME_UNKNOWN (a name without wildcards that nothing has), NO_ACCESS.
 */
export async function registrySpace(
  registry: PrivateRegistry,
  request: SpaceRequest,
  settings: TaskCall,
): Promise<RegistrySpace> {
  checkArguments({ registry: [registry, REGISTRY], request: [request, OBJECT], settings: [settings, CALL] });
  const { names = [], onEvent } = request;
  const store = ownStore(registry);
  const globs = names.map((name) => ({ name, glob: globIn(name) }));
  const measured = await measureStore(store, { ...callOptions(settings), ...(onEvent && { onEvent }) });
  for (const { name, glob } of globs) {
    if (/[*?]/.test(name) || [...wanted(measured, [glob])].length > 0) continue;
    throw new ImagesError('NAME_UNKNOWN', `no image of this name is there [${name}]`, {
      hint: '`images lreg_ls` shows what is there.',
    });
  }
  const fetched = await fetchedNames(store);
  const uploads = await unfinishedBytes(store.blobs);
  const { repositories: _, ...totals } = measured;
  const eventually = totals.former + totals.unnamed;
  // A dry run reads everything once more. Without pauses: nothing is deleted, so there is nothing to be considerate about.
  const now =
    eventually + totals.builds === 0
      ? 0
      : (await collectStore(store, { ...callOptions(settings), dryRun: true, pause: async () => undefined })).bytes;
  return {
    data: store.directory,
    total: {
      ...totals,
      ...(uploads !== undefined && { uploads }),
      reclaimable: { now, later: Math.max(0, eventually - now) },
    },
    repositories: function* () {
      const some = wanted(
        measured,
        globs.map(({ glob }) => glob),
      );
      for (const repository of some) yield fetched.size === 0 ? repository : markedIn(repository, fetched);
    },
  };
}

/** The space that was used, day by day, the oldest first. Errors: UNSUPPORTED, as `registrySpace`. */
export async function spaceHistory(registry: PrivateRegistry): Promise<readonly SpaceSample[]> {
  checkArguments({ registry: [registry, REGISTRY] });
  return await Array.fromAsync(spaceSamples(ownStore(registry).objects));
}

function markedIn(repository: RepositorySpace, fetched: ReadonlySet<string>): RepositorySpace {
  const images = repository.images.map((image) =>
    fetched.has(image.name) ? { ...image, fetched: true as const } : image,
  );
  return { ...repository, images };
}

type Glob = NonNullable<ReturnType<typeof parseImageGlob>>;

/** Errors: USAGE. */
function globIn(name: string): Glob {
  const glob = parseImageGlob(name);
  if (glob) return glob;
  throw new ImagesError('USAGE', `not a name of images [${name}]`, {
    hint: 'Write REPOSITORY or REPOSITORY:TAG, without a host that has a port; * stands for anything but /, ** also for that, ? for one character.',
  });
}

function* wanted(measured: StoreSpace, globs: readonly Glob[]): Generator<RepositorySpace> {
  for (const repository of measured.repositories()) {
    if (globs.length === 0 || globs.some((glob) => isWhole(glob, repository.repository))) {
      yield repository;
      continue;
    }
    const images = repository.images.filter(
      ({ tag }) => tag !== undefined && globs.some((glob) => matchesImage(glob, repository.repository, tag)),
    );
    if (images.length > 0) yield { ...repository, images };
  }
}

/** Without a tag the whole repository is meant, with what has no tag. */
function isWhole(glob: Glob, repository: string): boolean {
  return glob.tag === '*' && spellings(repository).some((name) => matchesGlob(glob.repository, name));
}

function ownStore({ store, label }: PrivateRegistry): EmbeddedStore {
  if (store) return store;
  throw new ImagesError('UNSUPPORTED', `only the embedded registry tells its space [${label}]`, {
    hint: 'Run it where the registry runs, as its user, with --data=DIR.',
  });
}
