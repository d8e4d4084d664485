// Sprig's functions for regular expressions, with the semantics and the linear time of Go's package regexp.
import { compilePattern, type Match, type Pattern } from '../../patterns.ts';
import { TemplateError } from '../template/errors.ts';
import { print, toInteger } from '../template/values.ts';
import { boundedText, checkLength, spendWork } from '../template/work.ts';
import type { FunctionTable } from './function-table.ts';

export const regexFunctions: FunctionTable = {
  regexQuoteMeta: ([text]) => print(text).replace(/[\\.+*?()|[\]{}^$]/g, '\\$&'),
  ...withMust({
    regexMatch: ([pattern, text]) => found(pattern, text, 1).length > 0,
    regexFind: ([pattern, text]) => {
      const [first] = found(pattern, text, 1);
      return first ? print(text).slice(first.start, first.end) : '';
    },
    regexFindAll: ([pattern, text, count]) =>
      found(pattern, text, toInteger(count)).map(({ start, end }) => print(text).slice(start, end)),
    regexReplaceAll: ([pattern, text, to]) =>
      replaceAll(pattern, text, (match) => expand(print(to), match, print(text))),
    regexReplaceAllLiteral: ([pattern, text, to]) => replaceAll(pattern, text, () => print(to)),
    regexSplit: ([pattern, text, count]) => split(pattern, print(text), toInteger(count)),
  }),
};

/** Adds the `must…` variants of Sprig, which differ only in how they fail. */
function withMust(functions: FunctionTable): FunctionTable {
  const twins = Object.entries(functions).map(([name, run]) => [`mustR${name.slice(1)}`, run] as const);
  return { ...functions, ...Object.fromEntries(twins) };
}

/** The first `count` matches, or all if `count` is negative. */
function found(pattern: unknown, text: unknown, count: number): readonly Match[] {
  const compiled = compile(pattern);
  const matches: Match[] = [];
  if (count === 0) return matches;
  // Each search for a match may read the whole text, in Go as well.
  const weight = Math.max(2, compiled.size / 2);
  for (const match of compiled.findAll(print(text), (characters) => spendWork(characters * weight))) {
    matches.push(match);
    if (matches.length === count) break;
  }
  return matches;
}

/** Cost of compiling one instruction, in characters. */
const COMPILED = 60;

function compile(pattern: unknown): Pattern {
  const compiled = compilePattern(print(pattern));
  if (!compiled) throw new TemplateError(`the pattern [${print(pattern)}] is not understood`);
  spendWork(compiled.size * COMPILED);
  return compiled;
}

function replaceAll(pattern: unknown, value: unknown, replacement: (match: Match) => string): string {
  const text = print(value);
  let replaced = '';
  let at = 0;
  for (const match of found(pattern, text, -1)) {
    replaced += text.slice(at, match.start) + boundedText(replacement(match));
    checkLength(replaced.length);
    at = match.end;
  }
  return replaced + text.slice(at);
}

/** Go's Expand: `$name` takes the longest name of letters, digits and `_`, `${name}` is explicit. A group that does not exist is empty. */
function expand(template: string, { groups, named }: Match, text: string): string {
  return template.replace(/\$(?:\$|(\w+)|\{(\w+)\})/g, (whole, plain?: string, braced?: string) => {
    if (whole === '$$') return '$';
    const name = plain ?? braced ?? '';
    const group = /^\d+$/.test(name) ? groups[Number(name)] : groups[named.get(name) ?? -1];
    return group ? text.slice(group.start, group.end) : '';
  });
}

/** regexp.Split. `count` is the maximum number of parts. */
function split(pattern: unknown, text: string, count: number): readonly string[] {
  if (count === 0) return [];
  if (text === '' && print(pattern) !== '') return [''];
  const parts: string[] = [];
  let at = 0;
  let end = 0;
  for (const match of found(pattern, text, count)) {
    if (count > 0 && parts.length === count - 1) break;
    end = match.start;
    if (match.end !== 0) parts.push(text.slice(at, end));
    at = match.end;
  }
  if (end !== text.length) parts.push(text.slice(at));
  return parts;
}
