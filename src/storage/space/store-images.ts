// The images of all repositories of a store.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { NameRecord } from '../../registry/policies/full-names.ts';
import { spellings } from '../../registry/policies/name-lookup.ts';
import { allRepositories } from '../collector/manifest-references.ts';
import type { CollectionRun } from '../collector/run.ts';
import type { RegistryStore } from '../store.ts';
import { type RepositoryImages, repositoryImages } from './repository-images.ts';
import type { SpaceGraph } from './space-graph.ts';

const REPOSITORIES_AT_ONCE = 16;
const BATCH = 256;

/** In the order of their names; without repositories that have nothing. */
export async function storeImages(
  store: RegistryStore,
  graph: SpaceGraph,
  run: CollectionRun,
): Promise<readonly RepositoryImages[]> {
  const recorded = await namesByPath(store);
  const images: RepositoryImages[] = [];
  const limiter = createLimiter(REPOSITORIES_AT_ONCE);
  let batch: string[] = [];
  const read = async () => {
    const some = await limiter.map(batch, (repository) =>
      repositoryImages(store.objects, {
        repository,
        recorded: spellings(repository).flatMap((path) => recorded.get(path) ?? []),
        graph,
      }),
    );
    for (const one of some) if (one.images.length + one.former.length > 0) images.push(one);
    batch = [];
  };
  for await (const repository of allRepositories(store)) {
    run.onEvent?.({ type: 'reading', repository });
    await run.step();
    batch.push(repository);
    if (batch.length === BATCH) await read();
  }
  await read();
  return images;
}

async function namesByPath(store: RegistryStore): Promise<ReadonlyMap<string, readonly NameRecord[]>> {
  const recorded = new Map<string, NameRecord[]>();
  for await (const record of store.names.all()) {
    const records = recorded.get(record.path);
    if (records) records.push(record);
    else recorded.set(record.path, [record]);
  }
  return recorded;
}
