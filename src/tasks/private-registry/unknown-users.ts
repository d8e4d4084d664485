// Users whom rules name, and whom the file of passwords does not have: most often a slip, by which somebody may less than was meant.
import { parseHtpasswd } from '../../access/htpasswd.ts';
import { readIfThere } from '../../io/files/read-config-file.ts';
import { quote } from '../../io/text/quote.ts';
import { isImagesError } from '../../oci/errors.ts';
import type { AccessConfig } from './access-config.ts';

/** One sentence for the log; `undefined` if all of them are there, or the file cannot be read, which is told elsewhere. */
export async function unknownUsers({ rules = [], htpasswd }: AccessConfig): Promise<string | undefined> {
  const named = new Set(rules.flatMap(({ users = [] }) => users).filter((user) => user !== '*'));
  if (named.size === 0 || htpasswd === undefined) return undefined;
  try {
    const known = parseHtpasswd(htpasswd, (await readIfThere(htpasswd)) ?? '');
    const unknown = [...named].filter((user) => !known.has(user));
    if (unknown.length === 0) return undefined;
    return `rules name users that ${htpasswd} does not have: ${unknown.map((user) => quote(user, 40)).join(', ')}`;
  } catch (error) {
    if (!isImagesError(error)) throw error;
    return undefined;
  }
}
