// Listings: tags, the catalogue, referrers, with their pages (distribution specification 1.1, "Content Discovery"; `_catalog` as docker's registry has it).
import { OCI_INDEX } from '../oci/media-types.ts';
import { type Call, type Handler, readOptionsOf } from './call.ts';
import { referrerPage } from './referrer-page.ts';
import { jsonReply, type ReplyHeaders } from './reply.ts';
import type { Page } from './request.ts';

/** In bytes. A page of referrers is at most as large as a manifest that clients accept. */
const MAX_INDEX_SIZE = 4 * 1024 * 1024;

/** end-8a and end-8b. */
export const listTags: Handler<'tag-list'> = async (request, call) => {
  const { repository, page, host } = request;
  const all = call.registry.tags(repository, page.last, readOptionsOf(request, call));
  const { entries, next } = await takePage(all, page, call);
  const headers = next === undefined ? {} : linkTo(`/v2/${repository}/tags/list`, { ...page, last: next, ns: host });
  return jsonReply({ name: repository, tags: entries }, { headers });
};

export const listRepositories: Handler<'catalog'> = async ({ page }, call) => {
  const { entries, next } = await takePage(call.registry.repositories(page.last, { signal: call.signal }), page, call);
  const headers = next === undefined ? {} : linkTo('/v2/_catalog', { ...page, last: next });
  return jsonReply({ repositories: entries }, { headers });
};

/** end-12a and end-12b. */
export const listReferrers: Handler<'referrer-list'> = async (request, call) => {
  const { repository, digest, artifactType, last, host } = request;
  const { registry, lists, signal } = call;
  const { manifests, next } = await lists(() => {
    const options = { ...readOptionsOf(request, call), ...(last !== undefined && { after: last }) };
    return referrerPage(registry.referrers(repository, digest, artifactType, options), {
      limit: MAX_INDEX_SIZE,
      signal,
    });
  }, signal);
  const path = `/v2/${repository}/referrers/${digest}`;
  const headers = {
    ...(artifactType && { 'OCI-Filters-Applied': 'artifactType' }),
    ...(next && linkTo(path, { artifactType, last: next, ns: host })),
  };
  return jsonReply({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }, { mediaType: OCI_INDEX, headers });
};

/** The entries of one page. `next` is the last of them if more follow. For `n` = 0 the page is empty and the last one. */
function takePage(
  all: AsyncIterable<string>,
  { n }: Page,
  { lists, limits, signal }: Call,
): Promise<{ readonly entries: readonly string[]; readonly next?: string }> {
  const most = Math.min(n ?? limits.page, limits.page);
  return lists(async () => {
    const entries: string[] = [];
    for await (const entry of all) {
      signal.throwIfAborted();
      const last = entries.at(-1);
      if (entries.length >= most) return { entries, ...(last !== undefined && { next: last }) };
      entries.push(entry);
    }
    return { entries };
  }, signal);
}

/** A Link header (RFC 5988). It is relative, because a proxy in front may have another name. */
function linkTo(path: string, parameters: Readonly<Record<string, string | number | undefined>>): ReplyHeaders {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
  return { Link: `<${path}?${query}>; rel="next"` };
}
