// Regular expressions of others, as Go's package regexp has them: RE2's grammar, time linear in the text. Relies on re2js, which is loaded when one is asked for.

export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Match extends Span {
  /** By their numbers; 0 is the whole match. Undefined for a group that takes no part in it. */
  readonly groups: readonly (Span | undefined)[];
  readonly named: ReadonlyMap<string, number>;
}

export interface Pattern {
  /** In instructions: what each character of a text may cost. */
  readonly size: number;
  test(text: string): boolean;
  /** One after the other, as Go finds them. `read` is told of characters as they are read, time and again where a match is looked for ahead; it may throw. */
  findAll(text: string, read?: (characters: number) => void): Iterable<Match>;
}

type Engine = typeof import('re2js').RE2JS;

let engine: Engine | undefined;

/** Not an error of anybody's: `withPatterns` loads what is missing, and begins again. */
class EngineMissing extends Error {}

/** Runs what may ask for patterns. It runs a second time where it asks for the first one ever: nothing that it does may last. */
export async function withPatterns<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof EngineMissing)) throw error;
    // Few inputs have patterns, and what reads them is large.
    const { RE2JS } = await import('re2js');
    engine = RE2JS;
    return await run();
  }
}

/** Templates ask for the same few again and again. */
const compiled = new Map<string, Pattern | undefined>();
const MAX_COMPILED = 1000;
/** No pattern of a person's is this long. */
const MAX_SOURCE = 10_000;

/** Undefined for what is no pattern. Only below `withPatterns`. */
export function compilePattern(source: string): Pattern | undefined {
  if (!engine) throw new EngineMissing('what reads regular expressions is not loaded');
  if (compiled.has(source)) return compiled.get(source);
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  const pattern = source.length > MAX_SOURCE ? undefined : compileWith(engine, source);
  compiled.set(source, pattern);
  return pattern;
}

/** A name that may be a pattern, within a whole that is: most names are none, and need no engine. Undefined for what is no pattern. */
export function nameTest(name: string, whole: (name: string) => string): Pick<Pattern, 'test' | 'size'> | undefined {
  if (!isPlainName(name)) return compilePattern(whole(name));
  const pattern = new RegExp(whole(name));
  return { test: (text) => pattern.test(text), size: 1 };
}

/** Nothing in it repeats, so no engine can take long for it; a point is any character for all of them. */
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
      // What reads it takes objects that behave as strings.
      const matcher = regex.matcher((counted ?? text) as string);
      let last = -1;
      while (matcher.find()) {
        const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, group) => spanOf(matcher, group));
        const [whole] = groups;
        if (!whole) return;
        counted?.tell();
        // An empty match that touches the one before is none.
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

/** How many characters are read before that is told. */
const READS = 4096;
/** Looking for a text by the engine's own means reads so many characters in the time of one. */
const SEARCHED = 16;

/** A text that tells how much of it is read: what a pattern costs is not its text's length, as each look for a match may see all of it. */
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
