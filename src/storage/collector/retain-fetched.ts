// What the proxy fetched goes when nobody has pulled it for some time. It can be fetched again, so no rule has to be looked at first; what somebody pushed or cached
// never goes here.
import { addAll } from '../../oci/add-all.ts';
import type { Digest } from '../../oci/digest.ts';
import { type FetchedTag, fetchedTag, forgetFetchedTag, listFetchedTags } from '../repositories/fetched-tags.ts';
import { pinsIn } from '../repositories/pins.ts';
import { pullsOf } from '../repositories/pull-records.ts';
import { planRemoval } from '../repositories/removal-plan.ts';
import { removeExpiredTag } from '../repositories/remove-expired-tag.ts';
import { removeName } from '../repositories/remove-name.ts';
import { removeUnneeded } from '../repositories/remove-unneeded.ts';
import { seenTag } from '../repositories/tag-in-motion.ts';
import type { RegistryStore } from '../store.ts';
import type { Retained } from './retain.ts';
import type { AgingRun } from './run.ts';

/** `keptMs`: since the last pull, or since it was fetched. Errors: as `retain`. */
export async function retainFetched(
  store: RegistryStore,
  keptMs: number | undefined,
  run: AgingRun,
): Promise<Omit<Retained, 'waits'>> {
  if (keptMs === undefined) return { tags: [], manifests: [] };
  const expired: FetchedTag[] = [];
  for await (const tag of listFetchedTags(store)) {
    await run.step();
    if (await isExpired(store, tag, keptMs, run)) expired.push(tag);
  }
  const byPath = Map.groupBy(expired, ({ path }) => path);
  const manifests: { readonly repository: string; readonly digest: Digest }[] = [];
  const tags: { readonly repository: string; readonly tag: string; readonly digest: Digest }[] = [];
  for (const [repository, some] of byPath) {
    const removal = { store, repository, step: run.step, ...(run.signal && { signal: run.signal }) };
    const gone = run.dryRun ? await planned(some, removal) : await applied(some, removal, run);
    addAll(
      manifests,
      gone.digests.map((digest) => ({ repository, digest })),
    );
    addAll(
      tags,
      gone.tags.map(({ tag, digest }) => ({ repository, tag, digest })),
    );
  }
  return { tags, manifests };
}

type Removal = Parameters<typeof removeUnneeded>[1];

interface Gone {
  readonly tags: readonly FetchedTag[];
  readonly digests: readonly Digest[];
}

async function isExpired(
  { objects }: RegistryStore,
  { path, tag, digest, since }: FetchedTag,
  keptMs: number,
  { ageOf }: AgingRun,
): Promise<boolean> {
  const pulls = await pullsOf(objects, path, digest);
  if (Math.min(ageOf(since), pulls ? ageOf(pulls.last) : Number.POSITIVE_INFINITY) <= keptMs) return false;
  const pinned = await pinsIn(objects).of(path);
  return !pinned.tags.has(tag) && !pinned.digests.has(digest);
}

async function planned(expired: readonly FetchedTag[], removal: Removal): Promise<Gone> {
  const digests: Digest[] = [];
  for (const { digest } of expired) addAll(digests, (await removeName({ digest }, removal, async () => true)) ?? []);
  const { gone } = await planRemoval(digests, removal, { without: expired.map(({ tag }) => tag) });
  return { tags: expired, digests: gone };
}

async function applied(expired: readonly FetchedTag[], removal: Removal, { step }: AgingRun): Promise<Gone> {
  const left: Digest[] = [];
  const tags: FetchedTag[] = [];
  let digests: readonly Digest[] = [];
  try {
    for (const one of expired) {
      await step();
      const needless = await removeName(one, removal, () => removeFetched(removal.store, one));
      if (!needless) continue;
      tags.push(one);
      addAll(left, needless);
    }
  } finally {
    if (left.length > 0) digests = await removeUnneeded(left, removal);
  }
  return { tags, digests };
}

/** Returns false for what has become somebody's, or was pinned, since it was looked at. */
async function removeFetched(store: RegistryStore, name: FetchedTag): Promise<boolean> {
  const { objects, names } = store;
  const { host, path, tag, digest } = name;
  const still = await fetchedTag(store, name);
  if (!still || (await pinsIn(objects).has({ repository: path, reference: tag }))) return false;
  if (still.isTag) {
    const seen = await seenTag(objects, path, tag);
    if (seen?.digest === digest && !(await removeExpiredTag(objects, path, seen))) return false;
  }
  if ((await names.get(host, path, tag)) === digest) await names.delete(host, path, tag);
  await forgetFetchedTag(store, name);
  return true;
}
