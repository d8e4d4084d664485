// Keys of registry.toml that there are not, and what was probably meant: another word, the option of the command line, or a key of another table.
import { quote } from '../../io/text/quote.ts';
import type { Json } from '../../oci/decode.ts';
import { nearest } from '../../oci/nearest.ts';
import { CONFIG_KEYS, keysIn } from './config-keys.ts';
import type { TomlPath, TomlReading } from './toml-values.ts';

/** `path` is that of the table; empty for the file itself. What else is wrong with the table is not looked at: it may be for want of the right word. */
export function refuseUnknown(table: Json, path: TomlPath, { fail, attempt }: TomlReading): void {
  const named = path.find((part) => typeof part === 'string');
  const known = keysIn(named);
  const refuse = (key: string) => fail([...path, key], `unknown key [${quote(key, 40)}]`, hintFor(key, named, known));
  const [first, ...more] = Object.keys(table).filter((key) => !known.includes(key));
  for (const key of more) attempt(() => refuse(key));
  if (first !== undefined) refuse(first);
}

function hintFor(key: string, table: string | undefined, known: readonly string[]): string {
  const like = key.replaceAll('-', '_');
  const option = CONFIG_KEYS.find((one) => one.option?.name.replaceAll('-', '_') === like)?.key;
  // A key below a line in brackets belongs to that table.
  // Words of three letters are like many.
  const isLong = table !== undefined && like.length > 3 && nearest(like, known) === undefined;
  const ofFile = isLong ? nearest(like, keysIn()) : undefined;
  if (ofFile !== undefined) return `${ofFile} is a key of the file: write it above the first line in brackets.`;
  if (option !== undefined && option !== key) return `Did you mean ${option}?`;
  const meant = nearest(like, known);
  if (meant !== undefined) return `Did you mean ${meant}?`;
  const inside = CONFIG_KEYS.find((one) => one.key.endsWith(`.${like}`))?.key;
  if (inside !== undefined) return `Did you mean ${inside}?`;
  return `Known here: ${known.join(', ')}.`;
}
