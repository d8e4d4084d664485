// Applies the rules of retention: tags that they do not keep go as `lreg_rm` removes them, with what nothing else needs (repositories/remove-unneeded).
//
// Wrong rules cost images. So rules are applied only once somebody has seen their effect: a collection by hand, or its dry run, records the rules that it
// applied; a collection by schedule applies no other rules than those.
import { createHash } from 'node:crypto';
import { addAll } from '../../oci/add-all.ts';
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import type { NameRecord } from '../../registry/policies/full-names.ts';
import { matchesGlob } from '../../registry/policies/image-glob.ts';
import { spellings } from '../../registry/policies/name-lookup.ts';
import { tagLinkKey } from '../layout/registry-keys.ts';
import { RETENTION_KEY } from '../layout/store-keys.ts';
import type { Objects } from '../objects.ts';
import { linkedManifest } from '../repositories/list-manifests.ts';
import { pinsIn } from '../repositories/pins.ts';
import { planRemoval } from '../repositories/removal-plan.ts';
import { removeExpiredTag } from '../repositories/remove-expired-tag.ts';
import { formerStates, removeName } from '../repositories/remove-name.ts';
import { removeUnneeded } from '../repositories/remove-unneeded.ts';
import type { SeenTag } from '../repositories/tag-in-motion.ts';
import { tagUse } from '../repositories/tag-use.ts';
import type { RegistryStore } from '../store.ts';
import { type ExpiredTag, expiredTags, type KeepRule, type Retention } from './retention.ts';
import { type AgingRun, type CollectionRun, inSteps } from './run.ts';

export interface Retained {
  /** Tags that went, or would go. */
  readonly tags: readonly ExpiredTag[];
  /** Manifests that went with them, or would. */
  readonly manifests: readonly { readonly repository: string; readonly digest: Digest }[];
  /** True if no tag went because nobody has seen yet what these rules do. */
  readonly waits: boolean;
}

/** Errors: NO_ACCESS, READ_ONLY, NO_SPACE; the signal's reason. */
export async function retain(
  store: RegistryStore,
  { rules, unasked = false }: Retention,
  run: AgingRun,
): Promise<Retained> {
  if (rules.length === 0) return { tags: [], manifests: [], waits: false };
  const plan: RepositoryPlan[] = [];
  const now = new Date();
  for await (const repository of store.stripped.repositories()) {
    const names = spellings(repository);
    const mine = rules.filter(({ images }) => names.some((name) => matchesGlob(images.repository, name)));
    if (mine.length === 0) continue;
    const expired = await expiredIn(store, repository, { rules: mine, now, run });
    if (expired.length > 0) plan.push({ repository, expired });
  }
  const tags = plan.flatMap(({ repository, expired }) =>
    expired.map(({ tag, digest }) => ({ repository, tag, digest })),
  );
  if (tags.length > 0 && unasked && !(await wereSeen(store.objects, rules)))
    return { tags, manifests: [], waits: true };
  if (!unasked) await noteSeen(store.objects, rules);
  const gone: ExpiredTag[] = [];
  const manifests: { readonly repository: string; readonly digest: Digest }[] = [];
  for (const one of plan) {
    const { tags: removed, digests } = run.dryRun ? await planned(store, one, run) : await applied(store, one, run);
    addAll(gone, removed);
    addAll(
      manifests,
      digests.map((digest) => ({ repository: one.repository, digest })),
    );
  }
  return { tags: gone, manifests, waits: false };
}

interface RepositoryPlan {
  readonly repository: string;
  readonly expired: readonly SeenTag[];
}

async function expiredIn(
  { objects, stripped }: RegistryStore,
  repository: string,
  { rules, now, run }: Pick<Retention, 'rules'> & { readonly now: Date; readonly run: AgingRun },
): Promise<readonly SeenTag[]> {
  const seen = await inSteps(stripped.tags(repository), run, async (tag) => {
    if (isAttachment(tag)) return [];
    const version = (await objects.stat(tagLinkKey(repository, tag)))?.version;
    const use = await tagUse(objects, repository, tag);
    if (!use || version === undefined) return [];
    return [{ tag, digest: use.digest, version, pushed: use.pushed, pulled: use.pulls?.last }];
  });
  const counted = (time: Date) => new Date(now.getTime() - run.ageOf(time));
  const times = seen
    .flat()
    .map(({ tag, pushed, pulled }) => ({ tag, pushed: counted(pushed), pulled: pulled && counted(pulled) }));
  const expired = new Set(expiredTags(repository, times, rules, now));
  if (expired.size === 0) return [];
  const pinned = await pinsIn(objects).of(repository);
  return seen.flat().filter(({ tag }) => expired.has(tag) && !pinned.tags.has(tag));
}

/** cosign's tags, and tags of the Referrers Tag Schema: they go with their subject. */
function isAttachment(tag: string): boolean {
  return /^sha(?:256|512)-[0-9a-f]{64}/.test(tag);
}

interface Outcome {
  readonly tags: readonly ExpiredTag[];
  readonly digests: readonly Digest[];
}

async function planned(
  store: RegistryStore,
  { repository, expired }: RepositoryPlan,
  run: CollectionRun,
): Promise<Outcome> {
  const removal = removalOf(store, repository, run);
  const pending: Digest[] = [];
  for (const { tag, digest } of expired) {
    addAll(pending, (await removeName({ digest, tag }, removal, async () => true)) ?? []);
    addAll(pending, await formerStates(tag, removal));
  }
  const { gone } = await planRemoval(pending, removal, { without: expired.map(({ tag }) => tag) });
  return { tags: expired.map(({ tag, digest }) => ({ repository, tag, digest })), digests: gone };
}

async function applied(
  store: RegistryStore,
  { repository, expired }: RepositoryPlan,
  run: CollectionRun,
): Promise<Outcome> {
  const removal = removalOf(store, repository, run);
  const left: Digest[] = [];
  const tags: ExpiredTag[] = [];
  let digests: readonly Digest[] = [];
  try {
    for (const one of expired) {
      await run.step();
      const needless = await removeName(one, removal, () => removeTag(store, repository, one));
      if (!needless) continue;
      tags.push({ repository, tag: one.tag, digest: one.digest });
      addAll(left, needless);
    }
  } finally {
    // Also when the collection ends early: tags that have gone leave nothing behind.
    if (left.length > 0) digests = await removeUnneeded(left, { store, repository });
  }
  return { tags, digests };
}

/**
 * Returns false for a tag that was pushed or pinned since it was seen. Full names of all hosts that have this tag go with it; not those that are recorded
 * while it goes, because somebody pushes the tag again.
 */
async function removeTag({ objects, names }: RegistryStore, repository: string, seen: SeenTag): Promise<boolean> {
  const { tag } = seen;
  if (await pinsIn(objects).has({ repository, reference: tag })) return false;
  const recorded: NameRecord[] = [];
  for (const path of spellings(repository)) {
    addAll(
      recorded,
      (await names.hostsOf(path, tag)).map((record) => ({ ...record, path, tag })),
    );
  }
  if (!(await removeExpiredTag(objects, repository, seen))) return false;
  for (const { host, path, digest } of recorded) {
    if ((await names.get(host, path, tag)) !== digest) continue;
    await names.delete(host, path, tag);
    // A push moves the tag first, and records the name then.
    if ((await linkedManifest(objects, repository, tag)) === digest) await names.set(host, path, tag, digest);
  }
  return true;
}

function removalOf(store: RegistryStore, repository: string, { step, signal }: CollectionRun) {
  return { store, repository, step, ...(signal && { signal }) };
}

function identity(rules: readonly KeepRule[]): string {
  return createHash('sha256').update(JSON.stringify(rules)).digest('hex');
}

async function wereSeen(objects: Objects, rules: readonly KeepRule[]): Promise<boolean> {
  const bytes = await objects.get(RETENTION_KEY);
  return bytes !== undefined && Buffer.from(bytes).toString() === identity(rules);
}

async function noteSeen(objects: Objects, rules: readonly KeepRule[]): Promise<void> {
  try {
    if (!(await wereSeen(objects, rules))) await objects.put(RETENTION_KEY, Buffer.from(identity(rules)));
  } catch (error) {
    // A dry run works on a store that cannot be written to.
    if (!isImagesError(error, 'READ_ONLY', 'NO_ACCESS', 'NO_SPACE')) throw error;
  }
}
