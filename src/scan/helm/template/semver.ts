// Versions and constraints as in Sprig's `semver` and `semverCompare` (Masterminds/semver: ranges, carets, tildes, wildcards, hyphens).

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly prerelease: string;
  readonly build: string;
  readonly original: string;
}

const VERSION = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?$/;

export function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text.trim());
  if (!match) return undefined;
  return {
    major: Number(match[1]),
    minor: Number(match[2] ?? 0),
    patch: Number(match[3] ?? 0),
    prerelease: match[4] ?? '',
    build: match[5] ?? '',
    original: text.trim(),
  };
}

export function compareVersions(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch || comparePrerelease(a.prerelease, b.prerelease);
}

/** Alternatives separated by `||`, each a list of conditions that must all hold. Returns `undefined` if the constraint is invalid. */
export function satisfies(constraint: string, version: Version): boolean | undefined {
  let isMet = false;
  for (const alternative of constraint.split('||')) {
    const conditions = conditionsOf(alternative);
    if (!conditions) return undefined;
    if (conditions.every((condition) => meets(condition, version))) isMet = true;
  }
  return isMet;
}

interface Condition {
  readonly operator: string;
  readonly bound: Version;
  /** How many of major, minor and patch were written. */
  readonly precision: number;
}

const CONDITION =
  /(=>|>=|=<|<=|!=|[=><^~]|~>)?\s*v?(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?/y;

function conditionsOf(alternative: string): readonly Condition[] | undefined {
  const text = alternative.replace(/(\S+)\s+-\s+(\S+)/g, '>=$1 <=$2').trim();
  const conditions: Condition[] = [];
  let at = 0;
  while (at < text.length) {
    CONDITION.lastIndex = at;
    const match = CONDITION.exec(text);
    if (!match) return undefined;
    const numbers = [match[2], match[3], match[4]];
    const wild = numbers.findIndex((part) => part === undefined || /[xX*]/.test(part));
    const [major, minor, patch] = numbers.map((part, index) => (wild >= 0 && index >= wild ? 0 : Number(part)));
    conditions.push({
      operator: match[1] ?? '=',
      bound: {
        major: major ?? 0,
        minor: minor ?? 0,
        patch: patch ?? 0,
        prerelease: match[5] ?? '',
        build: '',
        original: '',
      },
      precision: wild < 0 ? 3 : wild,
    });
    at = CONDITION.lastIndex;
    while (/[\s,]/.test(text[at] ?? '')) at++;
  }
  return conditions;
}

/** A prerelease version only meets conditions that have a prerelease: `>=1.19-0` accepts `1.20.1-eks`, `>=1.19` does not. */
function meets({ operator, bound, precision }: Condition, version: Version): boolean {
  if (version.prerelease !== '' && bound.prerelease === '') return false;
  const order = compareVersions(version, bound);
  switch (operator) {
    case '>':
      return precision < 3 ? order > 0 && !sharesPrefix(version, bound, precision) : order > 0;
    case '>=':
    case '=>':
      return order >= 0;
    case '<':
      return order < 0;
    case '<=':
    case '=<':
      return order <= 0 || (precision < 3 && sharesPrefix(version, bound, precision));
    case '!=':
      return precision < 3 ? !sharesPrefix(version, bound, precision) : order !== 0;
    case '^':
      return order >= 0 && sharesPrefix(version, bound, caretPrecision(bound, precision));
    case '~':
    case '~>':
      return order >= 0 && sharesPrefix(version, bound, Math.min(precision, 2));
    default:
      return precision < 3 ? sharesPrefix(version, bound, precision) : order === 0;
  }
}

function caretPrecision(bound: Version, precision: number): number {
  if (bound.major > 0 || precision <= 1) return Math.min(1, precision);
  return bound.minor > 0 || precision === 2 ? 2 : 3;
}

function sharesPrefix(a: Version, b: Version, precision: number): boolean {
  if (precision >= 1 && a.major !== b.major) return false;
  if (precision >= 2 && a.minor !== b.minor) return false;
  return precision < 3 || a.patch === b.patch;
}

function comparePrerelease(a: string, b: string): number {
  if (a === b) return 0;
  if (a === '') return 1;
  if (b === '') return -1;
  const left = a.split('.');
  const right = b.split('.');
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const order = comparePart(left[at], right[at]);
    if (order !== 0) return order;
  }
  return 0;
}

function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  const areNumbers = /^\d+$/.test(a) && /^\d+$/.test(b);
  if (areNumbers) return Number(a) - Number(b);
  if (/^\d+$/.test(a)) return -1;
  if (/^\d+$/.test(b)) return 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
