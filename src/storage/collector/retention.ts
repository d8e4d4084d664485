// Which tags of a repository a configuration keeps. Pure: tags with their times → those that go.
import type { Digest } from '../../oci/digest.ts';
import { bySpecificity, type ImageGlob, matchesImage } from '../../registry/policies/image-glob.ts';

/** A tag stays if one of the conditions holds for it. Without any condition, all that the rule names stays. */
export interface KeepRule {
  readonly images: ImageGlob;
  /** How many tags of each repository: those that were pushed last. */
  readonly newest?: number;
  /** In milliseconds: tags that were pushed within this time. */
  readonly pushedMs?: number;
  /** In milliseconds: tags that were pushed or pulled within this time. */
  readonly pulledMs?: number;
}

/** What a collection is told of retention. */
export interface Retention {
  readonly rules: readonly KeepRule[];
  /** In milliseconds: tags that the proxy fetched go when nobody has pulled them for so long. Without it they stay. */
  readonly fetchedMs?: number;
  /** Set for a collection by schedule, which nobody watches: rules whose effect nobody has seen yet are not applied. */
  readonly unasked?: boolean;
}

export interface ExpiredTag {
  readonly repository: string;
  readonly tag: string;
  readonly digest: Digest;
}

export interface TagTimes {
  readonly tag: string;
  readonly pushed: Date;
  /** Absent if no pull is recorded. */
  readonly pulled?: Date | undefined;
}

/**
 * The tags that go. Of the rules that name a tag the most specific one decides alone (`bySpecificity`; of two that are equal, the first). A tag that no rule
 * names stays. Times that lie ahead count as now.
 */
export function expiredTags(
  repository: string,
  tags: readonly TagTimes[],
  rules: readonly KeepRule[],
  now: Date,
): readonly string[] {
  const ordered = rules.toSorted((a, b) => bySpecificity(a.images, b.images));
  const ruled = new Map<KeepRule, TagTimes[]>();
  for (const tag of tags) {
    const rule = ordered.find(({ images }) => matchesImage(images, repository, tag.tag));
    if (rule) ruled.set(rule, [...(ruled.get(rule) ?? []), tag]);
  }
  return [...ruled].flatMap(([rule, governed]) => expiredBy(rule, governed, now.getTime())).sort();
}

function expiredBy(rule: KeepRule, tags: readonly TagTimes[], now: number): readonly string[] {
  const { newest, pushedMs, pulledMs } = rule;
  if (newest === undefined && pushedMs === undefined && pulledMs === undefined) return [];
  const isWithin = (time: Date | undefined, ms: number | undefined) =>
    time !== undefined && ms !== undefined && now - time.getTime() <= ms;
  // Of tags that were pushed at the same time, the one that sorts last counts as the newest.
  const older = tags
    .toSorted((a, b) => b.pushed.getTime() - a.pushed.getTime() || (a.tag < b.tag ? 1 : -1))
    .slice(newest ?? 0);
  return older
    .filter(
      ({ pushed, pulled }) => !isWithin(pushed, pushedMs) && !isWithin(pushed, pulledMs) && !isWithin(pulled, pulledMs),
    )
    .map(({ tag }) => tag);
}
