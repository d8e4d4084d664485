// Variables in texts: those of Compose (docs.docker.com/reference/compose-file/interpolation), and `envsubst` as in Flux and clusterctl. Pure.

export interface Interpolated {
  readonly text: string;
  /** Variables that are not set and have no default. */
  readonly missing: readonly string[];
}

export type Variables = ReadonlyMap<string, string>;

export const NO_VARIABLES: Variables = new Map();

/** Maximum depth of nested defaults. Deeper nesting is taken for an attack. */
const MAX_DEPTH = 20;
/** Maximum number of characters by which substitution may lengthen a text. Values that contain each other would grow without end. */
const MAX_GROWTH = 64 << 10;

/**
 * Compose syntax: fills in `$NAME`, `${NAME}`, and `${NAME:-default}` with its variants `-`, `:=`, `=`, `:+`, `+`, `:?`, `?`.
 * A variable that is not set is empty. `$$` is a literal `$`.
 */
export function interpolate(text: string, variables: Variables): Interpolated {
  return fillIn(text, variables, true);
}

/** envsubst syntax: only `${NAME}`. A variable that is not set, or is escaped with a second `$`, stays as it is. */
export function substitute(text: string, variables: Variables): string {
  return text.includes('${') ? fillIn(text, variables, false).text : text;
}

const PLAIN_NAME = /\$([A-Za-z_]\w*)/y;
const HEAD = /\$\{[ \t]*([A-Za-z_]\w*)[ \t]*(:?[-+?=])?/y;

function fillIn(source: string, variables: Variables, isCompose: boolean): Interpolated {
  const missing: string[] = [];
  const closings = closingsOf(source);
  let growth = 0;

  const setTo = (name: string): string | undefined => {
    const value = growth > MAX_GROWTH ? undefined : variables.get(name);
    growth += value?.length ?? 0;
    return value;
  };
  const unset = (name: string, written: string): string => {
    missing.push(name);
    return isCompose ? '' : written;
  };
  const expand = (at: number, end: number, depth: number): string => {
    const written = source.slice(at, end + 1);
    const [head = '', name = '', operator = ''] = match(HEAD, source, at) ?? [];
    const isWhole = head !== '' && (operator !== '' || at + head.length === end);
    if (!isWhole || depth > MAX_DEPTH) return unset(written.slice(2, -1), written);
    const value = setTo(name);
    const isSet = value !== undefined && (!operator.startsWith(':') || value !== '');
    const operand = (): string => range(at + head.length, end, depth + 1);
    if (/[-=]$/.test(operator)) return isSet ? value : operand();
    if (operator.endsWith('+') && (isSet || isCompose)) return isSet ? operand() : '';
    return isSet ? value : unset(name, written);
  };
  /** The value of the variable that begins at this offset, and the offset where it ends. */
  const variableAt = (at: number, depth: number): readonly [string, number] => {
    if (source[at + 1] === '$') return [isCompose ? '$' : '$$', at + 2];
    const end = closings.get(at);
    if (end !== undefined) return [expand(at, end, depth), end + 1];
    const [whole, name = ''] = (isCompose && match(PLAIN_NAME, source, at)) || [];
    return whole === undefined ? ['$', at + 1] : [setTo(name) ?? unset(name, whole), at + whole.length];
  };
  const range = (from: number, end: number, depth: number): string => {
    const parts: string[] = [];
    let at = from;
    for (let dollar = source.indexOf('$', at); dollar >= 0 && dollar < end; dollar = source.indexOf('$', at)) {
      const [text, next] = variableAt(dollar, depth);
      parts.push(source.slice(at, dollar), text);
      at = next;
    }
    parts.push(source.slice(at, end));
    return parts.join('');
  };
  return { text: range(0, source.length, 0), missing };
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** For each `${` the offset of its closing brace. A `${` without one is plain text. */
function closingsOf(text: string): ReadonlyMap<number, number> {
  const closings = new Map<number, number>();
  const open: number[] = [];
  for (const { 0: mark, index } of text.matchAll(/\$\$|\$\{|\}/g)) {
    if (mark === '${') open.push(index);
    else if (mark === '}') {
      const opening = open.pop();
      if (opening !== undefined) closings.set(opening, index);
    }
  }
  return closings;
}
