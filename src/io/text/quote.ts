// Texts of others as they may stand in a message: one line of a bounded length, which a terminal only prints, and which holds no secret.
import { withoutSecrets } from './secrets.ts';

const MAX_LINE = 300;
/** Characters that are looked at. */
const MAX_TEXT = 64 * 1024;

/** Control and format characters (a terminal would obey them) and line breaks become blanks. */
export function quote(text: string, longest: number = MAX_LINE): string {
  const line = withoutSecrets(text.slice(0, MAX_TEXT))
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return line.length > longest ? `${line.slice(0, longest - 1).toWellFormed()}…` : line;
}
