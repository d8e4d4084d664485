// Template functions on lists and dictionaries.
import { TemplateError } from '../template/errors.ts';
import {
  areEqual,
  copyOf,
  type Dictionary,
  dictionary,
  isDictionary,
  isTrue,
  isUnknown,
  keysOf,
  print,
  toInteger,
  UNKNOWN,
} from '../template/values.ts';
import type { FunctionTable } from './function-table.ts';

export const collectionFunctions: FunctionTable = withMust({
  list: (args) => [...args],
  tuple: (args) => [...args],
  first: ([list]) => listOf(list)[0],
  last: ([list]) => listOf(list).at(-1),
  rest: ([list]) => listOf(list).slice(1),
  initial: ([list]) => listOf(list).slice(0, -1),
  append: ([list, item]) => [...listOf(list), item],
  push: ([list, item]) => [...listOf(list), item],
  prepend: ([list, item]) => [item, ...listOf(list)],
  concat: (lists) => lists.flatMap(listOf),
  reverse: ([list]) => [...listOf(list)].reverse(),
  uniq: ([list]) => unique(listOf(list)),
  without: ([list, ...items]) => listOf(list).filter((item) => !items.some((other) => areEqual(item, other))),
  compact: ([list]) => listOf(list).filter((item) => isTrue(item)),
  has: ([item, list]) =>
    isUnknown(item) || isUnknown(list) ? UNKNOWN : listOf(list).some((other) => areEqual(item, other)),
  slice: ([list, from, to]) =>
    typeof list === 'string'
      ? list.slice(toInteger(from), to === undefined ? undefined : toInteger(to))
      : listOf(list).slice(toInteger(from), to === undefined ? undefined : toInteger(to)),
  chunk: ([size, list]) => chunks(listOf(list), Math.max(1, toInteger(size))),
  len: ([value]) => lengthOf(value),
  index: ([value, ...path]) => path.reduce<unknown>(indexOf, value),

  dict: (args) => {
    const made = dictionary();
    for (let at = 0; at < args.length; at += 2) made[print(args[at])] = args[at + 1];
    return made;
  },
  get: ([value, key]) => {
    if (isUnknown(value)) return UNKNOWN;
    const found = isDictionary(value) ? value[print(key)] : undefined;
    return found ?? '';
  },
  set: ([value, key, item]) => {
    if (isDictionary(value)) value[print(key)] = item;
    return value;
  },
  unset: ([value, key]) => {
    if (isDictionary(value)) delete value[print(key)];
    return value;
  },
  hasKey: ([value, key]) => (isUnknown(value) ? UNKNOWN : isDictionary(value) && Object.hasOwn(value, print(key))),
  keys: (dictionaries) => dictionaries.filter(isDictionary).flatMap((value) => [...keysOf(value)]),
  values: ([value]) => entriesOf(value).map(([, item]) => item),
  pluck: ([key, ...dictionaries]) =>
    dictionaries
      .filter(isDictionary)
      .filter((value) => Object.hasOwn(value, print(key)))
      .map((value) => value[print(key)]),
  pick: ([value, ...keys]) => {
    const wanted = new Set(keys.map(print));
    return dictionary(entriesOf(value).filter(([key]) => wanted.has(key)));
  },
  omit: ([value, ...keys]) => {
    const unwanted = new Set(keys.flat().map(print));
    return dictionary(entriesOf(value).filter(([key]) => !unwanted.has(key)));
  },
  dig: (args) => {
    const [value, fallback] = [args.at(-1), args.at(-2)];
    let found = value;
    for (const key of args.slice(0, -2)) {
      if (isUnknown(found)) return UNKNOWN;
      if (!isDictionary(found) || !Object.hasOwn(found, print(key))) return fallback;
      found = found[print(key)];
    }
    return found;
  },
  merge: ([target, ...sources]) => mergeInto(target, sources, (kept, given) => (isTrue(kept) ? kept : given)),
  mergeOverwrite: ([target, ...sources]) =>
    mergeInto(target, sources, (kept, given) => (isTrue(given) ? given : (kept ?? given))),
  deepCopy: ([value]) => copyOf(value),
});

/** Adds the `must…` variants of Sprig, which differ only in how they fail. */
function withMust(functions: FunctionTable): FunctionTable {
  const twins = Object.entries(functions).map(
    ([name, run]) => [`must${name[0]?.toUpperCase()}${name.slice(1)}`, run] as const,
  );
  return { ...functions, ...Object.fromEntries(twins) };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : isUnknown(value) ? [value] : [];
}

function entriesOf(value: unknown): readonly [string, unknown][] {
  return isDictionary(value) ? keysOf(value).map((key) => [key, value[key]]) : [];
}

function unique(list: readonly unknown[]): readonly unknown[] {
  return list.filter((item, at) => list.findIndex((other) => areEqual(item, other)) === at);
}

function chunks(list: readonly unknown[], size: number): readonly unknown[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size));
}

function lengthOf(value: unknown): unknown {
  if (isUnknown(value)) return UNKNOWN;
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (isDictionary(value)) return keysOf(value).length;
  throw new TemplateError(`len of [${print(value)}]`);
}

function indexOf(value: unknown, key: unknown): unknown {
  if (isUnknown(value) && !Array.isArray(value)) return UNKNOWN;
  if (Array.isArray(value)) {
    const at = toInteger(key);
    if (at < 0 || at >= value.length) throw new TemplateError(`index out of range: ${at}`);
    return value[at];
  }
  if (typeof value === 'string') return value.charCodeAt(toInteger(key));
  if (!isDictionary(value)) throw new TemplateError('index of untyped nil');
  const name = print(key);
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function mergeInto(
  target: unknown,
  sources: readonly unknown[],
  choose: (kept: unknown, given: unknown) => unknown,
): unknown {
  const merged: Dictionary = isDictionary(target) ? target : dictionary();
  for (const source of sources) {
    for (const [key, given] of entriesOf(source)) {
      const kept = merged[key];
      merged[key] =
        isDictionary(kept) && isDictionary(given) ? mergeInto(kept, [given], choose) : choose(kept, copyOf(given));
    }
  }
  return merged;
}
