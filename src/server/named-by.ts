// What a request is about, for logs, metrics and events: names that were checked, and so are short and plain. Pure.
import type { RequestEvent } from './events.ts';
import type { RegistryRequest } from './request.ts';

export type NamedBy = Pick<RequestEvent, 'kind' | 'host' | 'repository' | 'reference'>;

/** The kind of a request, and what it names: the tag or digest in `reference`. */
export function namedBy(request: RegistryRequest): NamedBy {
  const { kind } = request;
  if (!('repository' in request)) return { kind };
  const { repository } = request;
  const host = 'host' in request ? request.host : undefined;
  const reference = referenceOf(request);
  return { kind, repository, ...(host !== undefined && { host }), ...(reference !== undefined && { reference }) };
}

function referenceOf(request: RegistryRequest): string | undefined {
  if ('reference' in request) return request.reference;
  if ('tag' in request) return request.tag;
  if ('tags' in request) return request.tags[0] ?? request.digest;
  return 'digest' in request ? request.digest : undefined;
}
