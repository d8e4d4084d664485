// Decides which parts of a file are worth parsing, by the clues of the rules. Manifests of operators contain megabytes of schemas in which no rule can find an image.
import type { DocumentRule } from './contract.ts';

/** Smaller parts are always parsed. That costs little, and syntax errors in them are reported. */
const SMALL = 8192;
const SCHEMA = /^kind:[ \t]*["']?CustomResourceDefinition\b/m;

export interface Clues {
  /** Whether a text has a clue of a rule that looks at anything but schemas. */
  isIn(text: string): boolean;
  /** Whether a part of a file is to be parsed. */
  mayMatter(part: string): boolean;
  /** Whether a chart's template contains only schemas. Rendering it would produce megabytes without an image. */
  isOnlySchemas(template: string): boolean;
}

const KNOWN = new WeakMap<readonly DocumentRule[], Clues>();

/** The clues of these rules. Kept for each list: the rules of a scan are one list for all files. */
export function cluesOf(rules: readonly DocumentRule[]): Clues {
  const known = KNOWN.get(rules) ?? joinClues(rules);
  KNOWN.set(rules, known);
  return known;
}

function joinClues(rules: readonly DocumentRule[]): Clues {
  const isIn = clueTest(rules.filter(({ inSchemas }) => !inSchemas)) ?? (() => true);
  const isInSchema = clueTest(rules.filter(({ inSchemas }) => inSchemas)) ?? (() => false);
  return {
    isIn,
    mayMatter: (part) => part.length <= SMALL || (SCHEMA.test(part) ? isInSchema(part) : isIn(part)),
    isOnlySchemas: (template) => {
      if (template.length <= SMALL || !SCHEMA.test(template) || template.includes('define ')) return false;
      const parts = template.split(/^---/m);
      return parts.every((part) =>
        /^kind:/m.test(part) ? SCHEMA.test(part) && !isInSchema(part) : part.length <= SMALL,
      );
    },
  };
}

/** One expression for all clues with the same flags, each word once: a large part is searched once, not once for each rule. Returns `undefined` if there are no clues. */
function clueTest(rules: readonly DocumentRule[]): ((text: string) => boolean) | undefined {
  const clues = rules.flatMap(({ clue }) => (clue ? [clue] : []));
  const byFlags = Map.groupBy(clues, ({ flags }) => flags.replace(/[gy]/g, ''));
  const joined = [...byFlags].map(([flags, some]) => {
    const sources = new Set(some.flatMap(({ source }) => (/^[\w|]+$/.test(source) ? source.split('|') : [source])));
    return new RegExp([...sources].map((source) => `(?:${source})`).join('|'), flags);
  });
  return joined.length === 0 ? undefined : (text) => joined.some((clue) => clue.test(text));
}
