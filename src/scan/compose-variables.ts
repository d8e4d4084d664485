// Variables in Compose files, and the `.env` file that sets them. Format: docs.docker.com/reference/compose-file/interpolation.

export interface Interpolated {
  readonly text: string;
  /** Variables that are neither set nor have a default; nothing stands for them in the text. */
  readonly missing: readonly string[];
}

/** Nested defaults deeper than this are an attack. */
const MAX_DEPTH = 20;

/** Fills in `$NAME`, `${NAME}`, and `${NAME:-default}` with its kin `-`, `:+`, `+`, `:?`, `?`; `$$` is a `$`. */
export function interpolate(text: string, variables: ReadonlyMap<string, string>, depth = 0): Interpolated {
  const missing: string[] = [];
  let filled = '';
  let at = 0;
  const fill = (inner: string): string => {
    if (depth > MAX_DEPTH) return inner;
    const one = interpolate(inner, variables, depth + 1);
    missing.push(...one.missing);
    return one.text;
  };
  const plain = (name: string): string => {
    const value = variables.get(name);
    if (value === undefined) missing.push(name);
    return value ?? '';
  };
  while (at < text.length) {
    const rest = text.slice(at);
    const end = rest.startsWith('${') ? endOfBraces(rest) : undefined;
    const name = /^\$([A-Za-z_]\w*)/.exec(rest)?.[1];
    if (rest.startsWith('$$')) {
      filled += '$';
      at += 2;
    } else if (name !== undefined) {
      filled += plain(name);
      at += name.length + 1;
    } else if (end !== undefined) {
      filled += expand(rest.slice(2, end - 1), { variables, fill, plain });
      at += end;
    } else {
      filled += rest[0];
      at++;
    }
  }
  return { text: filled, missing };
}

interface Filling {
  readonly variables: ReadonlyMap<string, string>;
  readonly fill: (inner: string) => string;
  readonly plain: (name: string) => string;
}

function expand(inner: string, { variables, fill, plain }: Filling): string {
  const [, name = '', colon = '', operator = '', operand = ''] =
    /^([A-Za-z_]\w*)(?:(:?)([-+?])([\s\S]*))?$/.exec(inner) ?? [];
  const value = variables.get(name);
  const isSet = value !== undefined && (colon === '' || value !== '');
  if (operator === '-') return isSet ? value : fill(operand);
  if (operator === '+') return isSet ? fill(operand) : '';
  return isSet ? value : plain(name || inner);
}

/** `undefined` where they do not close: then they are only text. */
function endOfBraces(text: string): number | undefined {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text.startsWith('${', at)) depth++;
    else if (text[at] === '}' && --depth === 0) return at + 1;
  }
  return undefined;
}

/** Lines of `NAME=value`; `export` before and quotes around are taken off, ` #` begins a comment, values may use names above. */
export function readEnvironment(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, name, raw] = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined || raw === undefined) continue;
    const single = /^'([^']*)'/.exec(raw)?.[1];
    const double = /^"((?:\\.|[^"])*)"/.exec(raw)?.[1];
    if (single !== undefined) variables.set(name, single);
    else variables.set(name, interpolate(double ?? raw.replace(/(?:^|\s+)#.*$/, ''), variables).text);
  }
  return variables;
}
