// Regular expressions as in Go's package regexp: RE2 syntax, linear time. Relies on re2js, which is loaded on first use.

export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Match extends Span {
  /** By group number; 0 is the whole match. `undefined` for a group that did not take part in the match. */
  readonly groups: readonly (Span | undefined)[];
  readonly named: ReadonlyMap<string, number>;
}

export interface Pattern {
  /** Size of the compiled pattern in instructions. Matching costs up to this much for each character of a text. */
  readonly size: number;
  test(text: string): boolean;
  /** All matches in order, as Go finds them. `read` is called with the number of characters read, also when they are read again. It may throw. */
  findAll(text: string, read?: (characters: number) => void): Iterable<Match>;
}

type Engine = typeof import('re2js').RE2JS;

let engine: Engine | undefined;

/** Control flow, not a failure: `withPatterns` catches it, loads the engine, and starts again. */
class EngineMissing extends Error {}

/** Runs code that may compile patterns. `run` must be idempotent: it is run again from the start if the engine has to be loaded. */
export async function withPatterns<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof EngineMissing)) throw error;
    // Loaded lazily: few inputs have patterns, and the engine is large.
    const { RE2JS } = await import('re2js');
    engine = RE2JS;
    return await run();
  }
}

/** Cache: templates use the same few patterns repeatedly. */
const compiled = new Map<string, Pattern | undefined>();
const MAX_COMPILED = 1000;
/** Longer than any pattern that a person writes. */
const MAX_SOURCE = 10_000;

/** Returns `undefined` if the pattern is invalid. May only be called below `withPatterns`. */
export function compilePattern(source: string): Pattern | undefined {
  if (!engine) throw new EngineMissing('what reads regular expressions is not loaded');
  if (compiled.has(source)) return compiled.get(source);
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  const pattern = source.length > MAX_SOURCE ? undefined : compileWith(engine, source);
  compiled.set(source, pattern);
  return pattern;
}

/** A test for a name that may be a pattern. `whole` builds the full pattern from it. Plain names need no engine. Returns `undefined` if the pattern is invalid. */
export function nameTest(name: string, whole: (name: string) => string): Pick<Pattern, 'test' | 'size'> | undefined {
  if (!isPlainName(name)) return compilePattern(whole(name));
  const pattern = new RegExp(whole(name));
  return { test: (text) => pattern.test(text), size: 1 };
}

/** Whether the name has no repetition, so that any engine is fast. A dot means any character in all engines. */
export function isPlainName(name: string): boolean {
  return /^[\w./@:-]*$/.test(name);
}

function compileWith(RE2JS: Engine, source: string): Pattern | undefined {
  let regex: ReturnType<Engine['compile']>;
  try {
    regex = RE2JS.compile(source);
  } catch {
    return undefined;
  }
  const named = new Map(Object.entries(regex.namedGroups()));
  return {
    size: regex.programSize(),
    test: (text) => regex.test(text),
    *findAll(text, read) {
      const counted = read && new CountedText(text, read);
      // re2js accepts any object that behaves like a string.
      const matcher = regex.matcher((counted ?? text) as string);
      let last = -1;
      while (matcher.find()) {
        const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, group) => spanOf(matcher, group));
        const [whole] = groups;
        if (!whole) return;
        counted?.tell();
        // An empty match directly after the previous match does not count.
        if (whole.end > whole.start || whole.start !== last) yield { ...whole, groups, named };
        last = whole.end;
      }
      counted?.tell();
    },
  };
}

function spanOf(
  matcher: { start(group: number): number; end(group: number): number },
  group: number,
): Span | undefined {
  const start = matcher.start(group);
  return start < 0 ? undefined : { start, end: matcher.end(group) };
}

/** Number of characters that are read between two calls of `read`. */
const READS = 4096;
/** Native `indexOf` reads this many characters in the time of one `charCodeAt`. */
const SEARCHED = 16;

/** A string that reports how much of it is read. The cost of a pattern is not the length of its text, since each search for a match may read all of it. */
class CountedText extends String {
  #reads = 0;
  readonly #text: string;
  readonly #read: (characters: number) => void;

  constructor(text: string, read: (characters: number) => void) {
    super(text);
    this.#text = text;
    this.#read = read;
  }

  override charCodeAt(index: number): number {
    if (++this.#reads >= READS) this.tell();
    return this.#text.charCodeAt(index);
  }

  override indexOf(searched: string, from = 0): number {
    const at = this.#text.indexOf(searched, from);
    this.#reads += 1 + ((at < 0 ? this.#text.length : at) - from) / SEARCHED;
    return at;
  }

  tell(): void {
    const reads = Math.ceil(this.#reads);
    this.#reads = 0;
    this.#read(reads);
  }
}
