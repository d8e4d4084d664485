// Texts that Go's parser (kubectl, Helm) accepts and the specification does not: a quoted text or a flow collection may continue to the left of
// its parent (YAML 1.2.2, 7.4). Relies on js-yaml's errors.
import { YAMLException } from 'js-yaml';

/** Maximum number of repaired lines, against hostile files. */
const MAX_REPAIRS = 100;
/** Deeper than the indentation of any parent. */
const INDENTATION = ' '.repeat(300);

/** Parses `text`. Lines that are indented too little get more spaces, which changes neither their meaning nor their number. Errors: those of `parse`. */
export function parseIndented<T>(
  text: string,
  parse: (text: string) => T,
): { readonly text: string; readonly parsed: T } {
  let indented = text;
  for (let repaired = 0; ; repaired++) {
    try {
      return { text: indented, parsed: parse(indented) };
    } catch (error) {
      const line =
        error instanceof YAMLException && error.reason === 'deficient indentation' ? error.mark?.line : undefined;
      if (line === undefined || repaired >= MAX_REPAIRS) throw error;
      indented = indentLine(indented, line);
    }
  }
}

function indentLine(text: string, line: number): string {
  let at = 0;
  for (let index = 0; index < line; index++) at = text.indexOf('\n', at) + 1;
  return text.slice(0, at) + INDENTATION + text.slice(at);
}
