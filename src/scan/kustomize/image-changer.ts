// Applies the entries of `images:` to the images of resources. The entries apply in order, each to the result of those before it.
// Plain names are looked up, so the cost is the sum of entries and images and not their product. Patterns must be tried, which is charged to the budget.
import { isPlainName } from '../patterns.ts';
import { type BuildState, spendBudget } from './build-state.ts';
import { changedBy, type ImageChange, type ImageField, TAG_AND_DIGEST } from './images.ts';
import { setFrom } from './resource.ts';

export interface ImageChanger {
  /** Applies the entries from index `first` on. */
  apply(fields: readonly ImageField[], first?: number): void;
  /** Whether the entry matched one of the images. */
  hasUsed(entry: number): boolean;
}

/** The result for an image. `source` belongs to the last entry that changed it; `undefined` if the image is unchanged. */
interface Settled {
  readonly image: string;
  readonly source: ImageChange['source'] | undefined;
}

export function createImageChanger(changes: readonly ImageChange[], state: BuildState): ImageChanger {
  const next = nextEntry(changes, state);
  const used = new Set<number>();

  /** `times`: the number of settings that name the field. kustomize applies each entry that many times. */
  const settle = (start: string, first: number, times: number): Settled => {
    let image = start;
    let source: Settled['source'];
    for (let at = next(image, first); at !== undefined; at = next(image, at + 1)) {
      const change = changes[at] as ImageChange;
      used.add(at);
      for (let time = 0; time < times && (time === 0 || change.isFor(image)); time++) {
        const changed = changedBy(image, change);
        if (changed !== image) source = change.source;
        image = changed;
      }
    }
    return { image, source };
  };

  return {
    hasUsed: (entry) => used.has(entry),
    apply(fields, first = 0) {
      if (changes.length === first) return;
      const known = new Map<string, Settled>();
      for (const { holder, key, times } of fields) {
        const image = holder[key];
        if (typeof image !== 'string') continue;
        const name = `${times} ${image}`;
        const settled = known.get(name) ?? settle(image, first, times);
        known.set(name, settled);
        if (settled.source) setFrom(settled.source, holder, key)(settled.image);
      }
    },
  };
}

/** This many instructions of a pattern cost as much as one comparison. */
const READS = 800;

/** Plain names of one length, with their dots at the same offsets. A dot matches any character. */
interface Names {
  readonly points: readonly number[];
  /** The indexes of the entries with each name, ascending. */
  readonly entries: Map<string, number[]>;
}

/** Returns a function that finds the first matching entry for an image, from an index on. */
function nextEntry(
  changes: readonly ImageChange[],
  state: BuildState,
): (image: string, from: number) => number | undefined {
  const plain = new Map<number, Map<string, Names>>();
  const patterns: number[] = [];
  for (const [index, { name }] of changes.entries()) {
    if (isPlainName(name)) addName(plain, name, index);
    else patterns.push(index);
  }
  return (image, from) => {
    let first = Number.POSITIVE_INFINITY;
    for (const name of namesOf(image)) {
      for (const { points, entries } of plain.get(name.length)?.values() ?? []) {
        if (!spendBudget(state, 1 + (name.length >> 8))) return undefined;
        const list = entries.get(withPoints(name, points));
        if (list) first = Math.min(first, list[firstFrom(list, from)] ?? first);
      }
    }
    for (let at = firstFrom(patterns, from); (patterns[at] ?? first) < first; at++) {
      const index = patterns[at] as number;
      const change = changes[index];
      if (!change || !spendBudget(state, 1 + (image.length * change.size) / READS)) return undefined;
      if (change.isFor(image)) return index;
    }
    return first === Number.POSITIVE_INFINITY ? undefined : first;
  };
}

function addName(plain: Map<number, Map<string, Names>>, name: string, index: number): void {
  const points = Array.from(name.matchAll(/\./g), (match) => match.index);
  const ofLength = plain.get(name.length) ?? new Map<string, Names>();
  plain.set(name.length, ofLength);
  const key = points.join();
  const names = ofLength.get(key) ?? { points, entries: new Map<string, number[]>() };
  ofLength.set(key, names);
  const list = names.entries.get(name);
  if (list) list.push(index);
  else names.entries.set(name, [index]);
}

/** The possible names of an image: the text before a tag, a digest, or both. */
function* namesOf(image: string): Iterable<string> {
  yield image;
  const at = image.lastIndexOf('@');
  for (const end of [image.lastIndexOf(':'), at, at > 0 ? image.lastIndexOf(':', at - 1) : -1]) {
    if (end > 0 && TAG_AND_DIGEST.test(image.slice(end))) yield image.slice(0, end);
  }
}

function withPoints(name: string, points: readonly number[]): string {
  let masked = '';
  let from = 0;
  for (const point of points) {
    if (name[point] === '\n') return '';
    masked += `${name.slice(from, point)}.`;
    from = point + 1;
  }
  return masked + name.slice(from);
}

/** The index of the first number in an ascending list that is not less than `least`. */
function firstFrom(list: readonly number[], least: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle] as number) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
