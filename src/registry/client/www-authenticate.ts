// Parses the WWW-Authenticate header: `Bearer realm="…",service="…",scope="…", Basic realm="…"` (RFC 9110, section 11.6.1).

export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const SPACE = /[ \t]*/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
/** An unquoted value. Real ones may contain `/` and `:`. */
const BARE = /[^\s,"]+/y;
/** A single token, as in `NTLM` and `Negotiate`; not followed by `=` and a value. */
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;

/** All challenges in order. Parsing stops at a malformed one. */
export function parseWwwAuthenticate(header: string): readonly Challenge[] {
  const challenges: Challenge[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(header) ?? undefined;
    if (match) at = pattern.lastIndex;
    return match;
  };
  const skipCommas = () => {
    do take(SPACE);
    while (header[at] === ',' && ++at);
  };
  const parameter = (): readonly [string, string] | undefined => {
    const start = at;
    const name = take(TOKEN)?.[0];
    take(SPACE);
    if (name !== undefined && header[at] === '=') {
      at += 1;
      take(SPACE);
      const quoted = take(QUOTED)?.[1];
      const value = quoted?.replace(/\\(.)/g, '$1') ?? take(BARE)?.[0];
      if (value !== undefined) return [name.toLowerCase(), value];
    }
    at = start;
    return undefined;
  };

  for (skipCommas(); at < header.length; skipCommas()) {
    const scheme = take(TOKEN)?.[0];
    if (scheme === undefined) break;
    take(SPACE);
    take(TOKEN68);
    const parameters: Record<string, string> = Object.create(null);
    for (let next = parameter(); next; next = parameter()) {
      parameters[next[0]] ??= next[1];
      skipCommas();
    }
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
  }
  return challenges;
}
