// The `.env` file of a Compose project. Format: docs.docker.com/compose/how-tos/environment-variables/variable-interpolation.
import { interpolate, type Variables } from '../variables.ts';

/** Reads lines of `NAME=value`. `export` and quotes are removed, ` #` begins a comment, and values may refer to names above. */
export function readEnvironment(text: string): Variables {
  const variables = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, name, raw] = /^(?:export\s+)?([A-Za-z_]\w*)\s*[=:]\s*(.*)$/s.exec(line.trim()) ?? [];
    if (name === undefined || raw === undefined) continue;
    const single = /^'([^']*)'/.exec(raw)?.[1];
    const double = (/^"((?:\\.|[^"\\])*)"/s.exec(raw) ?? /^"([^"]*)"/.exec(raw))?.[1];
    if (single !== undefined) variables.set(name, single);
    else variables.set(name, interpolate(double ?? raw.replace(/(?:^|\s)#.*$/s, '').trimEnd(), variables).text);
  }
  return variables;
}
