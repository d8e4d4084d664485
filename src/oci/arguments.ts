// The arguments of public functions, for callers without a type checker: what is wrong is refused by its name, before anything is done. A check is as shallow
// as it can be: it tells a mistaken call, and decodes nothing.
import { ImagesError } from './errors.ts';

/** Returns what is wrong with a value, or `undefined`. */
export type ArgumentKind = (value: unknown) => WrongArgument | undefined;

export interface WrongArgument {
  /** Where in the value: `.from`, `[2]`; empty for the value itself. */
  readonly at: string;
  readonly wanted: string;
  readonly got: unknown;
}

export const TEXT = kind('a string', (value) => typeof value === 'string');
export const NUMBER = kind('a number', (value) => typeof value === 'number');
export const FUNCTION = kind('a function', (value) => typeof value === 'function');
export const ARRAY = kind('an array', Array.isArray);
/** Anything that has members. */
export const OBJECT = kind(
  'an object',
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

export function arrayOf(item: ArgumentKind): ArgumentKind {
  return (value) => {
    if (!Array.isArray(value)) return ARRAY(value);
    for (const [index, each] of value.entries()) {
      const wrong = item(each);
      if (wrong) return { ...wrong, at: `[${index}]${wrong.at}` };
    }
    return undefined;
  };
}

/** An object that has at least these members. */
export function objectWith(members: Readonly<Record<string, ArgumentKind>>): ArgumentKind {
  return (value) => {
    const wrong = OBJECT(value);
    if (wrong) return wrong;
    for (const [name, member] of Object.entries(members)) {
      const inner = member((value as Record<string, unknown>)[name]);
      if (inner) return { ...inner, at: `.${name}${inner.at}` };
    }
    return undefined;
  };
}

export function orAbsent(given: ArgumentKind): ArgumentKind {
  return (value) => (value === undefined ? undefined : given(value));
}

/** Errors: USAGE, which names the argument: `request.from`. */
export function checkArguments(given: Readonly<Record<string, readonly [value: unknown, kind: ArgumentKind]>>): void {
  for (const [name, [value, wanted]] of Object.entries(given)) {
    const wrong = wanted(value);
    if (!wrong) continue;
    throw new ImagesError('USAGE', `the argument ${name}${wrong.at} is not ${wrong.wanted} [${typeOf(wrong.got)}]`, {
      hint: 'The types of the library say what each function takes: docs/library.md.',
    });
  }
}

function kind(wanted: string, is: (value: unknown) => boolean): ArgumentKind {
  return (value) => (is(value) ? undefined : { at: '', wanted, got: value });
}

/** Never the value: it may be a secret. */
function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
