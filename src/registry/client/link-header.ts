// Parses the Link header of paginated answers (RFC 8288; distribution specification 1.1, "Listing Tags"). Some registries omit the angle brackets.

export type NextLink =
  | { readonly type: 'next'; readonly target: string }
  /** There is no next page. */
  | { readonly type: 'none' }
  /** There may be a next page, so the list must not be taken as complete. */
  | { readonly type: 'unreadable' };

const LINK =
  /\s*(?:<([^>]*)>|([^<>\s;,"]+))((?:\s*;\s*[^\s;,="<>]+(?:\s*=\s*(?:"[^"]*"|[^\s;,"<>]+))?)*)\s*(?:;\s*)?(?:,|$)/y;

/** The link with relation `next`. A single link without a relation is taken as `next`, too. */
export function parseNextLink(header: string | undefined): NextLink {
  const text = header?.trim() ?? '';
  const targets: { readonly target: string; readonly relations: readonly string[] | undefined }[] = [];
  for (let at = 0; at < text.length; at = LINK.lastIndex) {
    LINK.lastIndex = at;
    const match = LINK.exec(text);
    if (!match) return { type: 'unreadable' };
    const [, bracketed, bare = '', parameters = ''] = match;
    const [, quoted, plain] = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(parameters) ?? [];
    const relations = (quoted ?? plain)?.toLowerCase().split(/\s+/);
    if (relations?.includes('next')) return { type: 'next', target: bracketed ?? bare };
    targets.push({ target: bracketed ?? bare, relations });
  }
  const [first] = targets;
  if (first && targets.length === 1 && !first.relations) return { type: 'next', target: first.target };
  return { type: targets.every(({ relations }) => relations) ? 'none' : 'unreadable' };
}
