// Template functions on texts (sprig's strings and text/template's print family).
import { TemplateError } from '../template/evaluator.ts';
import { isDictionary, print, toInteger, toNumber } from '../template/values.ts';
import type { FunctionTable } from './function-table.ts';

/** A text that a template makes longer than this is an attack or a mistake. */
const MAX_TEXT = 4 << 20;

export const stringFunctions: FunctionTable = {
  print: (args) => args.map(print).join(args.every((arg) => typeof arg !== 'string') ? ' ' : ''),
  println: (args) => `${args.map(print).join(' ')}\n`,
  printf: ([format, ...args]) => formatText(print(format), args),
  quote: (args) =>
    args
      .filter(isThere)
      .map((arg) => goQuote(print(arg)))
      .join(' '),
  squote: (args) =>
    args
      .filter(isThere)
      .map((arg) => `'${print(arg)}'`)
      .join(' '),
  cat: (args) => args.filter(isThere).map(print).join(' '),
  toString: ([value]: readonly unknown[]) => (value === null || value === undefined ? '<nil>' : print(value)),
  toStrings: ([value]) => textsOf(value),
  trim: ([text]) => print(text).trim(),
  trimAll: ([cut, text]) => trimChars(print(text), print(cut), 'both'),
  trimall: ([cut, text]) => trimChars(print(text), print(cut), 'both'),
  trimPrefix: ([prefix, text]) =>
    print(text).startsWith(print(prefix)) ? print(text).slice(print(prefix).length) : print(text),
  trimSuffix: ([suffix, text]) => {
    const [end, all] = [print(suffix), print(text)];
    return end !== '' && all.endsWith(end) ? all.slice(0, -end.length) : all;
  },
  upper: ([text]) => print(text).toUpperCase(),
  lower: ([text]) => print(text).toLowerCase(),
  title: ([text]) => print(text).replace(/\b\p{L}/gu, (letter) => letter.toUpperCase()),
  untitle: ([text]) => print(text).replace(/\b\p{L}/gu, (letter) => letter.toLowerCase()),
  camelcase: ([text]) => print(text).replace(/(?:^|[-_\s]+)(\w)/g, (_, letter: string) => letter.toUpperCase()),
  snakecase: ([text]) => separateWords(print(text), '_'),
  kebabcase: ([text]) => separateWords(print(text), '-'),
  swapcase: ([text]) =>
    [...print(text)].map((char) => (char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase())).join(''),
  nospace: ([text]) => print(text).replace(/\s+/g, ''),
  initials: ([text]) =>
    print(text)
      .split(/\s+/)
      .map((word) => word.slice(0, 1))
      .join(''),
  repeat: ([count, text]) => repeat(print(text), toInteger(count)),
  substr: ([start, end, text]) => {
    const [from, to] = [toInteger(start), toInteger(end)];
    return print(text).slice(Math.max(0, from), to < 0 ? undefined : to);
  },
  trunc: ([length, text]) =>
    toInteger(length) < 0 ? print(text).slice(toInteger(length)) : print(text).slice(0, toInteger(length)),
  abbrev: ([width, text]) => {
    const [length, all] = [toInteger(width), print(text)];
    return all.length <= length || length < 4 ? all : `${all.slice(0, length - 3)}...`;
  },
  abbrevboth: ([, , text]) => print(text),
  replace: ([from, to, text]) => print(text).replaceAll(print(from), () => print(to)),
  contains: ([part, text]) => print(text).includes(print(part)),
  hasPrefix: ([prefix, text]) => print(text).startsWith(print(prefix)),
  hasSuffix: ([suffix, text]) => print(text).endsWith(print(suffix)),
  indent: ([width, text]) => indent(print(text), toInteger(width)),
  nindent: ([width, text]) => `\n${indent(print(text), toInteger(width))}`,
  wrap: ([, text]) => print(text),
  wrapWith: ([, , text]) => print(text),
  plural: ([one, many, count]) => (toInteger(count) === 1 ? one : many),
  split: ([separator, text]) =>
    Object.fromEntries(
      print(text)
        .split(print(separator))
        .map((part, index) => [`_${index}`, part]),
    ),
  splitn: ([separator, count, text]) =>
    Object.fromEntries(
      splitAtMost(print(text), print(separator), toInteger(count)).map((part, index) => [`_${index}`, part]),
    ),
  splitList: ([separator, text]) => print(text).split(print(separator)),
  join: ([separator, list]) => textsOf(list).join(print(separator)),
  sortAlpha: ([list]) => textsOf(list).sort(),
  regexMatch: ([pattern, text]) => regex(pattern, '').test(print(text)),
  mustRegexMatch: ([pattern, text]) => regex(pattern, '').test(print(text)),
  regexFind: ([pattern, text]) => regex(pattern, '').exec(print(text))?.[0] ?? '',
  mustRegexFind: ([pattern, text]) => regex(pattern, '').exec(print(text))?.[0] ?? '',
  regexFindAll: ([pattern, text, count]) => limited(print(text).match(regex(pattern, 'g')) ?? [], toInteger(count)),
  mustRegexFindAll: ([pattern, text, count]) => limited(print(text).match(regex(pattern, 'g')) ?? [], toInteger(count)),
  regexReplaceAll: ([pattern, text, to]) => print(text).replace(regex(pattern, 'g'), expandable(print(to))),
  mustRegexReplaceAll: ([pattern, text, to]) => print(text).replace(regex(pattern, 'g'), expandable(print(to))),
  regexReplaceAllLiteral: ([pattern, text, to]) => print(text).replace(regex(pattern, 'g'), () => print(to)),
  mustRegexReplaceAllLiteral: ([pattern, text, to]) => print(text).replace(regex(pattern, 'g'), () => print(to)),
  regexSplit: ([pattern, text, count]) => limited(print(text).split(regex(pattern, '')), toInteger(count)),
  mustRegexSplit: ([pattern, text, count]) => limited(print(text).split(regex(pattern, '')), toInteger(count)),
  regexQuoteMeta: ([text]) => print(text).replace(/[\\.+*?()|[\]{}^$]/g, '\\$&'),
  html: ([text]) => print(text),
  js: ([text]) => print(text),
  urlquery: ([text]) => encodeURIComponent(print(text)),
};

function isThere(value: unknown): boolean {
  return value !== null && value !== undefined;
}

export function textsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.filter(isThere).map(print);
  return isThere(value) ? [print(value)] : [];
}

/** strconv.Quote; JSON's escapes are Go's but for the ones nobody writes. */
function goQuote(text: string): string {
  return JSON.stringify(text);
}

function indent(text: string, width: number): string {
  const space = repeat(' ', width);
  return space + text.replaceAll('\n', `\n${space}`);
}

function repeat(text: string, count: number): string {
  if (count < 0 || text.length * count > MAX_TEXT) throw new TemplateError(`[${count}] is no count to repeat a text`);
  return text.repeat(count);
}

function trimChars(text: string, chars: string, sides: 'both'): string {
  const cut = new Set(chars);
  let from = 0;
  let to = text.length;
  while (from < to && cut.has(text[from] ?? '')) from++;
  while (sides === 'both' && to > from && cut.has(text[to - 1] ?? '')) to--;
  return text.slice(from, to);
}

function separateWords(text: string, separator: string): string {
  return text
    .replace(/([a-z\d])([A-Z])/g, `$1${separator}$2`)
    .replace(/[-_\s]+/g, separator)
    .toLowerCase();
}

function splitAtMost(text: string, separator: string, count: number): readonly string[] {
  const parts = text.split(separator);
  return count > 0 && parts.length > count
    ? [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)]
    : parts;
}

function limited<T>(list: readonly T[], count: number): readonly T[] {
  return count < 0 ? list : list.slice(0, count);
}

/** RE2 → JavaScript: POSIX classes, named groups, and flags at the start are what differs in practice. */
function regex(pattern: unknown, flags: string): RegExp {
  const source = print(pattern);
  const inline = /^\(\?([ims]+)\)/.exec(source);
  const body = (inline ? source.slice(inline[0].length) : source)
    .replaceAll('(?P<', '(?<')
    .replaceAll('[:alnum:]', 'a-zA-Z0-9')
    .replaceAll('[:alpha:]', 'a-zA-Z')
    .replaceAll('[:digit:]', '0-9')
    .replaceAll('[:lower:]', 'a-z')
    .replaceAll('[:upper:]', 'A-Z')
    .replaceAll('[:space:]', '\\s')
    .replaceAll('\\A', '^')
    .replaceAll('\\z', '$');
  try {
    return new RegExp(body, flags + (inline?.[1] ?? ''));
  } catch {
    throw new TemplateError(`the pattern [${source}] is not understood`);
  }
}

/** Go's `${1}` and `$1` as JavaScript's. */
function expandable(text: string): string {
  return text.replace(/\$\{(\d+)\}/g, '$$$1').replace(/\$\{(\w+)\}/g, '$$<$1>');
}

const VERB = /%(?:%|\[(\d+)\])?([-+# 0]*)(\d+)?(?:\.(\d+))?([a-zA-Z])|%%/g;

function formatText(format: string, args: readonly unknown[]): string {
  let next = 0;
  return format.replace(VERB, (all, at?: string, flags = '', width = '', precision?: string, verb?: string) => {
    if (all === '%%' || verb === undefined) return '%';
    if (at !== undefined) next = Number(at) - 1;
    if (next >= args.length) return `%!${verb}(MISSING)`;
    const value = args[next++];
    const text = formatOne(verb, value, { flags, precision });
    if (flags.includes('-')) return text.padEnd(Number(width));
    return text.padStart(Number(width), flags.includes('0') ? '0' : ' ');
  });
}

function formatOne(
  verb: string,
  value: unknown,
  how: { readonly flags: string; readonly precision: string | undefined },
): string {
  switch (verb) {
    case 'd':
      return typeof value === 'number' || /^-?\d+$/.test(print(value))
        ? print(value)
        : `%!d(${typeof value}=${print(value)})`;
    case 'f':
      return toNumber(value).toFixed(Number(how.precision ?? 6));
    case 'q':
      return goQuote(print(value));
    case 'x':
      return typeof value === 'number' ? value.toString(16) : Buffer.from(print(value)).toString('hex');
    case 's':
      if (value === null || value === undefined) return '%!s(<nil>)';
      if (typeof value === 'number') return `%!s(${Number.isInteger(value) ? 'int' : 'float64'}=${print(value)})`;
      if (typeof value === 'boolean') return `%!s(bool=${value})`;
      return how.precision === undefined ? print(value) : print(value).slice(0, Number(how.precision));
    case 't':
    case 'v':
      if (value === null || value === undefined) return '<nil>';
      return isDictionary(value) && how.flags.includes('#') ? JSON.stringify(value) : print(value);
    default:
      return print(value);
  }
}
