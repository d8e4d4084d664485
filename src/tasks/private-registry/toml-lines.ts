// Where a key stands in a TOML file: the parser tells lines only of what it cannot parse. For messages, so it knows the forms that people write.

/** The line, from 1, of the key; else of the table that would have it; `undefined` if neither is found. Numbers in `path` count tables of one name (`[[keep]]`). */
export function lineOfKey(text: string, path: readonly (string | number)[]): number | undefined {
  const wanted = path.filter((part) => typeof part === 'string');
  const count = path.find((part) => typeof part === 'number');
  const key = wanted.at(-1) ?? '';
  const isTable = typeof path.at(-1) === 'number';
  const table = isTable ? key : wanted.slice(0, -1).join('.');
  let current = '';
  let seen = -1;
  let tableLine: number | undefined;
  for (const [at, line] of text.split('\n').entries()) {
    const [, header] = /^\s*\[\[?\s*([^\]]+?)\s*\]\]?/.exec(line) ?? [];
    if (header !== undefined) {
      current = unquoted(header);
      if (current === table && table !== '') seen += 1;
    }
    const isHere = current === table && (count === undefined || seen === count);
    if (isHere && header !== undefined) tableLine = at + 1;
    if (isTable && tableLine !== undefined) return tableLine;
    if (header !== undefined && path.length === 1 && current === key) return at + 1;
    const [, written] = header === undefined ? (/^\s*("[^"]*"|'[^']*'|[\w.-]+)\s*=/.exec(line) ?? []) : [];
    if (written === undefined) continue;
    if (isHere && unquoted(written) === key) return at + 1;
    // A key with dots: proxy.ttl = "5m".
    if (count === undefined && `${current === '' ? '' : `${current}.`}${written}` === wanted.join('.')) return at + 1;
    // The list is written in one: keep = [{ … }].
    if (current === '' && unquoted(written) === wanted[0] && wanted.length < path.length) tableLine ??= at + 1;
  }
  return tableLine;
}

function unquoted(name: string): string {
  return name.replace(/^(["'])(.*)\1$/, '$2');
}
