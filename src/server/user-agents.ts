// What clients call themselves, as logs and events show it. A few programs send nearly all requests, so what is made of their names is remembered.
import { quote } from '../io/text/quote.ts';

/** In characters. */
const LONGEST = 120;
const MOST = 100;

/** Makes the text of a header safe, and short: one line, without secrets. */
export function userAgents(): (header: string) => string {
  const known = new Map<string, string>();
  return (header) => {
    const sent = header.length > 2 * LONGEST ? header.slice(0, 2 * LONGEST) : header;
    const before = known.get(sent);
    if (before !== undefined) return before;
    if (known.size >= MOST) known.clear();
    const safe = quote(sent, LONGEST);
    known.set(sent, safe);
    return safe;
  };
}
