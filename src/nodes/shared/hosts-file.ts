// /etc/hosts with ours in it: a block between two marks, at the end. Pure.

export const HOSTS_BEGIN = '# private-reg: begin';
export const HOSTS_END = '# private-reg: end';

/** Ours replaces an earlier block; empty: the block goes. What is not between both marks is another's. */
export function withHosts(text: string, ours: string): string {
  const others = withoutBlock(text);
  if (ours === '') return others;
  const whole = others === '' || others.endsWith('\n') ? others : `${others}\n`;
  return `${whole}${HOSTS_BEGIN}\n${ours}${HOSTS_END}\n`;
}

/** The names that an earlier line has with another address: it counts. */
export function shadowedHosts(text: string, ours: string): readonly string[] {
  const before = new Map<string, string>();
  for (const [address, name] of entries(withoutBlock(text))) if (!before.has(name)) before.set(name, address);
  const shadowed = entries(ours).filter(([address, name]) => (before.get(name) ?? address) !== address);
  return [...new Set(shadowed.map(([, name]) => name))];
}

/** Blocks from the last begin before an end: one without an end is not ours alone. */
function withoutBlock(text: string): string {
  const kept: string[] = [];
  let begin: number | undefined;
  for (const line of text.split('\n')) {
    const mark = line.replace(/\r$/, '');
    if (mark === HOSTS_BEGIN) begin = kept.length;
    if (mark === HOSTS_END && begin !== undefined) {
      kept.length = begin;
      begin = undefined;
    } else kept.push(line);
  }
  return kept.join('\n');
}

function entries(text: string): readonly (readonly [address: string, name: string])[] {
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    return names.map((name) => [address, name] as const);
  });
}
