// How often images of the embedded registry were pulled, and when last, as the registry wrote it down.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { tryParseReference } from '../../oci/reference.ts';
import { spellings } from '../../registry/policies/name-lookup.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import { linkedManifest } from '../../storage/repositories/list-manifests.ts';
import { type Pulls, pullsOf } from '../../storage/repositories/pull-records.ts';
import type { TaskCall } from '../settings.ts';
import type { ListedRepository } from './list-registry.ts';
import type { PrivateRegistry } from './private-registry.ts';

export interface ListedPulls extends ListedRepository {
  /** By tag; without those that were never pulled. Absent if none was. */
  readonly pulls?: Readonly<Record<string, Pulls>>;
}

const READS = 16;

/** Adds what is recorded of pulls. Another registry's listing stays as it is. Names may be stripped or full ones. */
export async function withPulls(
  listed: readonly ListedRepository[],
  { store }: PrivateRegistry,
  { signal }: TaskCall,
): Promise<readonly ListedPulls[]> {
  if (!store) return listed;
  const read = createLimiter(READS);
  return await Promise.all(
    listed.map(async (repository) => {
      const found = await read.map(
        repository.tags,
        async (tag) => [tag, await pullsOfName(store, repository.name, tag)] as const,
        signal,
      );
      const pulls = found.filter((entry): entry is [string, Pulls] => entry[1] !== undefined);
      return pulls.length === 0 ? repository : { ...repository, pulls: Object.fromEntries(pulls) };
    }),
  );
}

async function pullsOfName({ objects, names }: EmbeddedStore, name: string, tag: string): Promise<Pulls | undefined> {
  const stripped = await linkedManifest(objects, name, tag);
  if (stripped !== undefined) return await pullsOf(objects, name, stripped);
  const { host, path } = tryParseReference(name) ?? {};
  const digest = host !== undefined && path !== undefined ? await names.get(host, path, tag) : undefined;
  if (digest === undefined || path === undefined) return undefined;
  for (const repository of spellings(path)) {
    const pulls = await pullsOf(objects, repository, digest);
    if (pulls) return pulls;
  }
  return undefined;
}
