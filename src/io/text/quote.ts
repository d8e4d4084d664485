// Makes foreign text safe for a message: one line of limited length, without control characters and without secrets.
import { withoutSecrets } from './secrets.ts';

const MAX_LINE = 300;
/** Only so many characters of the text are looked at. */
const MAX_TEXT = 64 * 1024;

/** Control and format characters (which a terminal would obey) and line breaks become blanks. */
export function quote(text: string, longest: number = MAX_LINE): string {
  const line = withoutSecrets(text.slice(0, MAX_TEXT))
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return line.length > longest ? `${line.slice(0, longest - 1).toWellFormed()}…` : line;
}
