// What retention decides. That it is applied, see retain.test.ts.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bySpecificity, matchesImage } from '../../registry/policies/image-glob.ts';
import { expiredTags, type KeepRule, type TagTimes } from './retention.ts';

const NOW = new Date('2030-01-31T00:00:00Z');
const DAY = 86_400_000;
const ago = (days: number) => new Date(NOW.getTime() - days * DAY);
const all = { repository: '**', tag: '*' };
const tags = [1, 2, 3, 4, 5].map((days): TagTimes => ({ tag: `d${days}`, pushed: ago(days) }));
const expired = (rules: readonly KeepRule[], of: readonly TagTimes[] = tags, repository = 'ci/app') =>
  expiredTags(repository, of, rules, NOW);

it('the tags that were pushed last stay', () => {
  expect(expired([{ images: all, newest: 2 }])).toEqual(['d3', 'd4', 'd5']);
  expect(expired([{ images: all, newest: 0 }])).toHaveLength(5);
  expect(expired([{ images: all, newest: 9 }])).toEqual([]);
});

it('what was pushed, or pulled, recently stays', () => {
  expect(expired([{ images: all, pushedMs: 3 * DAY }])).toEqual(['d4', 'd5']);
  const pulled = tags.map((one) => ({ ...one, pulled: one.tag === 'd5' ? ago(0) : undefined }));
  expect(expired([{ images: all, pulledMs: 3 * DAY }], pulled)).toEqual(['d4']);
  expect(expired([{ images: all, pushedMs: 3 * DAY }], pulled)).toEqual(['d4', 'd5']);
});

it('one condition that holds is enough', () => {
  expect(expired([{ images: all, newest: 1, pushedMs: 3 * DAY }])).toEqual(['d4', 'd5']);
});

it('what no rule names stays, and what a rule without conditions names', () => {
  expect(expired([{ images: { repository: 'other', tag: '*' }, newest: 0 }])).toEqual([]);
  expect(expired([])).toEqual([]);
  const kept: KeepRule = { images: { repository: '**', tag: 'd5' } };
  expect(expired([{ images: all, newest: 1 }, kept])).toEqual(['d2', 'd3', 'd4']);
});

it('the most specific rule decides alone, and counts only the tags for which it decides', () => {
  const general: KeepRule = { images: all, newest: 1 };
  const special: KeepRule = { images: { repository: 'ci/app', tag: '*' }, newest: 4 };
  expect(expired([general, special])).toEqual(['d5']);
  expect(expired([general, special], tags, 'other')).toHaveLength(4);
  expect(expired([general, { images: { repository: '**', tag: 'd1' }, newest: 1 }])).toEqual(['d3', 'd4', 'd5']);
});

it('times that lie ahead count as now', () => {
  expect(expired([{ images: all, pushedMs: DAY }], [{ tag: 'a', pushed: ago(-400) }])).toEqual([]);
});

it('agrees with a plain model', () => {
  const glob = fc.constantFrom(
    ...['**', 'ci/*', 'ci/app', '*'].flatMap((repository) =>
      ['*', 'a*', 'ab', '?'].map((tag) => ({ repository, tag })),
    ),
  );
  const days = fc.option(fc.nat(6), { nil: undefined });
  const rule = fc.record({ images: glob, newest: days, pushed: days, pulled: days });
  const tag = fc.record({
    tag: fc.string({ unit: fc.constantFrom(...'ab'), minLength: 1, maxLength: 3 }),
    pushed: fc.nat(6),
    pulled: days,
  });
  const repository = fc.constantFrom('ci/app', 'ci/x/y', 'top');
  fc.assert(
    fc.property(
      fc.array(rule, { maxLength: 4 }),
      fc.uniqueArray(tag, { selector: (one) => one.tag, maxLength: 8 }),
      repository,
      (drawn, made, name) => {
        const rules = drawn.map(
          ({ images, newest, pushed, pulled }): KeepRule => ({
            images,
            ...(newest !== undefined && { newest }),
            ...(pushed !== undefined && { pushedMs: pushed * DAY }),
            ...(pulled !== undefined && { pulledMs: pulled * DAY }),
          }),
        );
        const times = made.map(
          ({ tag: one, pushed, pulled }): TagTimes => ({
            tag: one,
            pushed: ago(pushed),
            ...(pulled !== undefined && { pulled: ago(pulled) }),
          }),
        );

        const ruleOf = (one: TagTimes) => {
          let best: KeepRule | undefined;
          for (const each of rules)
            if (matchesImage(each.images, name, one.tag) && (!best || bySpecificity(each.images, best.images) < 0))
              best = each;
          return best;
        };
        const isNewer = (a: TagTimes, b: TagTimes) =>
          a.pushed > b.pushed || (a.pushed.getTime() === b.pushed.getTime() && a.tag > b.tag);
        const goes = (one: TagTimes) => {
          const mine = ruleOf(one);
          if (!mine || Object.keys(mine).length === 1) return false;
          const newer = times.filter((other) => ruleOf(other) === mine && isNewer(other, one)).length;
          if (mine.newest !== undefined && newer < mine.newest) return false;
          const age = (time: Date) => NOW.getTime() - time.getTime();
          if (mine.pushedMs !== undefined && age(one.pushed) <= mine.pushedMs) return false;
          return !(
            mine.pulledMs !== undefined && Math.min(age(one.pushed), age(one.pulled ?? one.pushed)) <= mine.pulledMs
          );
        };
        expect(expiredTags(name, times, rules, NOW)).toEqual(
          times
            .filter(goes)
            .map((one) => one.tag)
            .sort(),
        );
      },
    ),
    { numRuns: 500 },
  );
});
