// The version of a release: which ones can follow, and the source file that says it to the program. Pure.

/** Semantic versions without build metadata: 1.2.3, 1.2.3-rc.1 (semver.org, sections 2 and 9). */
const VERSION = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

/** Throws an Error where `next` is no version, or does not come after `current`. */
export function checkVersion(next: string, current: string): void {
  if (!VERSION.test(next)) throw new Error(`not a version [${next}]: write it as 1.2.3 or 1.2.3-rc.1`);
  if (compareVersions(next, current) <= 0) throw new Error(`${next} does not come after ${current}`);
}

/** By precedence (semver.org, section 11): negative where `a` comes before `b`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (const part of [1, 2, 3]) {
    const difference = Number(left[part]) - Number(right[part]);
    if (difference !== 0) return difference;
  }
  return comparePreReleases(left[4], right[4]);
}

function partsOf(version: string): readonly (string | undefined)[] {
  return VERSION.exec(version) ?? [];
}

/** A version without one comes after all that have one. */
function comparePreReleases(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  const [left, right] = [a.split('.'), b.split('.')];
  for (const [at, one] of left.entries()) {
    const other = right[at];
    if (other === undefined) return 1;
    if (one === other) continue;
    const [x, y] = [one, other].map((text) => (/^\d+$/.test(text) ? Number(text) : undefined));
    if (x !== undefined && y !== undefined) return x - y;
    // Numbers come before words.
    return x !== undefined ? -1 : y !== undefined ? 1 : one < other ? -1 : 1;
  }
  return left.length - right.length;
}

/** The text of src/cli/process/version.ts with another version. Throws an Error where it does not hold exactly one. */
export function withVersion(source: string, version: string): string {
  const parts = source.split(/(?<=^export const VERSION = ')[^']*(?=';$)/m);
  if (parts.length !== 2) throw new Error('src/cli/process/version.ts does not say VERSION once');
  return parts.join(version);
}
