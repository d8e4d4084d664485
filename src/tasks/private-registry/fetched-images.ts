// Which images of the embedded registry its proxy has fetched, for listings.
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import { listFetchedTags } from '../../storage/repositories/fetched-tags.ts';
import type { ListedRepository } from './list-registry.ts';
import type { PrivateRegistry } from './private-registry.ts';

/** Adds the tags that were fetched, where there are some. Names may be stripped or full ones. */
export async function withFetched<Listed extends ListedRepository>(
  listed: readonly Listed[],
  { store }: PrivateRegistry,
): Promise<readonly (Listed & { readonly fetched?: readonly string[] })[]> {
  if (!store) return listed;
  const names = await fetchedNames(store);
  return listed.map((repository) => {
    const fetched = repository.tags.filter((tag) => names.has(`${repository.name}:${tag}`));
    return fetched.length === 0 ? repository : { ...repository, fetched };
  });
}

/** `NAME:TAG` and `HOST/PATH:TAG`. */
export async function fetchedNames(store: EmbeddedStore): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for await (const { host, path, tag, isTag } of listFetchedTags(store)) {
    names.add(`${host}/${path}:${tag}`);
    if (isTag) names.add(`${path}:${tag}`);
  }
  return names;
}
