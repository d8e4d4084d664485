// fmt.Sprintf, as far as templates use it (pkg.go.dev/fmt): flags, widths, precisions, argument indexes, and Go's error texts.
import { isDictionary, print, toNumber } from '../template/values.ts';
import { checkLength } from '../template/work.ts';

/** The directive after the `%`. Each part is optional, so it always matches without backtracking. */
const DIRECTIVE = /([-+# 0]*)(?:\[(\d+)\])?(\d+|\*)?(?:\.(\d+|\*)?)?(?:\[(\d+)\])?(.?)/suy;
/** Go's limit for widths and precisions. */
const LARGEST = 1_000_000;

export function formatText(format: string, args: readonly unknown[]): string {
  const parts: string[] = [];
  const given = createArguments(args);
  let length = 0;
  const write = (part: string): void => {
    length += part.length;
    checkLength(length);
    parts.push(part);
  };
  for (let at = 0; at < format.length; ) {
    const percent = format.indexOf('%', at);
    write(format.slice(at, percent < 0 ? format.length : percent));
    if (percent < 0) break;
    DIRECTIVE.lastIndex = percent + 1;
    const [all = '', flags = '', first, width, precision, index, verb = ''] = DIRECTIVE.exec(format) ?? [];
    // After a number that is too large, Go treats the rest of the format as part of it.
    if (verb === '' || isTooLarge(width) || isTooLarge(precision)) {
      write('%!(NOVERB)');
      break;
    }
    at = percent + 1 + all.length;
    write(verb === '%' ? '%' : formatDirective({ flags, first, width, precision, index, verb }, given));
  }
  return parts.join('') + given.extra();
}

interface Directive {
  readonly flags: string;
  readonly first: string | undefined;
  readonly width: string | undefined;
  readonly precision: string | undefined;
  readonly index: string | undefined;
  readonly verb: string;
}

interface Arguments {
  /** The next argument. Returns `undefined` if all are used. */
  next(): { readonly value: unknown } | undefined;
  /** Continues with the argument at this index, from 1. */
  choose(index: string | undefined): void;
  /** Go's error text for unused arguments. */
  extra(): string;
}

function createArguments(args: readonly unknown[]): Arguments {
  let at = 0;
  let isChosen = false;
  return {
    next: () => (at < args.length ? { value: args[at++] } : undefined),
    choose: (index) => {
      if (index === undefined) return;
      at = Number(index) - 1;
      isChosen = true;
    },
    extra: () => {
      const left = isChosen ? [] : args.slice(at);
      return left.length === 0 ? '' : `%!(EXTRA ${left.map((value) => `${goType(value)}=${print(value)}`).join(', ')})`;
    },
  };
}

function formatDirective({ flags, first, width, precision, index, verb }: Directive, given: Arguments): string {
  given.choose(first);
  const wide = width === '*' ? Number(given.next()?.value) : Number(width ?? 0);
  const precise = precision === '*' ? String(given.next()?.value) : precision;
  const isWide = Number.isInteger(wide) && Math.abs(wide) <= LARGEST;
  const isPrecise = precise === undefined || Number(precise) <= LARGEST;
  const complaint = `${isWide ? '' : '%!(BADWIDTH)'}${isPrecise ? '' : '%!(BADPREC)'}`;
  given.choose(index);
  const argument = given.next();
  if (!argument) return `%!${verb}(${index === undefined && first === undefined ? 'MISSING' : 'BADINDEX'})`;
  const text = formatOne(verb, argument.value, { flags, precision: isPrecise ? precise : undefined });
  if (!isWide) return complaint + text;
  if (flags.includes('-') || wide < 0) return complaint + text.padEnd(Math.abs(wide));
  return complaint + text.padStart(wide, flags.includes('0') ? '0' : ' ');
}

function isTooLarge(number: string | undefined): boolean {
  return number !== undefined && Number(number) > LARGEST;
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
      return toNumber(value).toFixed(Math.min(Number(how.precision ?? 6), 100));
    case 'q':
      return goQuote(print(value));
    case 'x':
      return typeof value === 'number' ? value.toString(16) : Buffer.from(print(value)).toString('hex');
    case 's':
      if (value === null || value === undefined) return '%!s(<nil>)';
      if (typeof value === 'number' || typeof value === 'boolean') return `%!s(${goType(value)}=${print(value)})`;
      return how.precision === undefined ? print(value) : print(value).slice(0, Number(how.precision));
    case 't':
    case 'v':
      if (value === null || value === undefined) return '<nil>';
      return isDictionary(value) && how.flags.includes('#') ? JSON.stringify(value) : print(value);
    default:
      return print(value);
  }
}

function goType(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** strconv.Quote. JSON's escapes differ from Go's only for characters that nobody writes. */
export function goQuote(text: string): string {
  return JSON.stringify(text);
}
