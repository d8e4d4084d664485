// The path of a request as logs and events show it: one word of bounded length, without secrets.

/** In characters: what is sent may be 64 KiB long. */
const LONGEST = 300;
const LONGEST_VALUE = 100;
const MOST_PARAMETERS = 10;
const PLAIN = /^\/[\w\-./:@+~%]{0,299}$/;
const UNSAFE = /[\s\p{Cc}\p{Cf}"\\]/gu;

/** Parameters of the protocols that the registry speaks, none of which is a secret. Values of all others are not shown. */
const KNOWN: ReadonlySet<string> = new Set([
  ...['account', 'after', 'artifactType', 'client_id', 'digest', 'digest-algorithm', 'format', 'from', 'last', 'mount'],
  ...['n', 'ns', 'offline_token', 'scope', 'service', 'tag'],
]);

/** As in the request line, in origin or absolute form. User and password, fragments and unknown parameters are left out. */
export function safePath(url: string): string {
  if (PLAIN.test(url)) return url;
  const target =
    url
      .slice(0, 4096)
      .replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
      .split('#', 1)[0] ?? '';
  const mark = target.indexOf('?');
  const path = cut(mark < 0 ? target : target.slice(0, mark), LONGEST);
  const shown = mark < 0 ? path : `${path}?${parameters(target.slice(mark + 1))}`;
  return cut(shown, 2 * LONGEST).replaceAll(UNSAFE, escaped);
}

function parameters(query: string): string {
  const all = query.split('&', MOST_PARAMETERS + 1);
  const shown = all.slice(0, MOST_PARAMETERS).map((one) => {
    const at = one.indexOf('=');
    const name = at < 0 ? one : one.slice(0, at);
    if (KNOWN.has(name)) return cut(one, name.length + 1 + LONGEST_VALUE);
    return /^[\w-]{1,40}$/.test(name) && at >= 0 ? `${name}=***` : '***';
  });
  return [...shown, ...(all.length > MOST_PARAMETERS ? ['…'] : [])].join('&');
}

function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

function escaped(character: string): string {
  return character === '\\' || character === '"'
    ? `%${character.charCodeAt(0).toString(16).toUpperCase()}`
    : encodeURIComponent(character.toWellFormed());
}
