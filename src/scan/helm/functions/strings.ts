// Template functions for texts (Sprig's strings and the print family of text/template). Regular expressions and printf have files of their own.
import { TemplateError } from '../template/errors.ts';
import { print, toInteger } from '../template/values.ts';
import { checkLength } from '../template/work.ts';
import type { FunctionTable } from './function-table.ts';
import { formatText, goQuote } from './printf.ts';

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
  camelcase: ([text]) =>
    print(text).replace(/(?:^|(?<![-_\s])[-_\s]+)(\w)/g, (_, letter: string) => letter.toUpperCase()),
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
  replace: ([from, to, text]) => replace(print(text), print(from), print(to)),
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

function indent(text: string, width: number): string {
  return repeat(' ', width) + replace(text, '\n', `\n${repeat(' ', width)}`);
}

function repeat(text: string, count: number): string {
  if (count < 0) throw new TemplateError(`[${count}] is no count to repeat a text`);
  checkLength(text.length * count);
  return text.repeat(count);
}

function replace(text: string, from: string, to: string): string {
  const parts = text.split(from);
  checkLength(text.length + parts.length * to.length);
  return from === '' ? text.replaceAll('', () => to) : parts.join(to);
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
