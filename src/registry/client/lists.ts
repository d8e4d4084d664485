// Lists over HTTP: catalogue, tags, referrers; page after page, and in byte order whatever order the registry has.
import type { HttpAnswer } from '../../io/http.ts';
import { pathWithQuery, resolveHttpUrl } from '../../io/http-url.ts';
import { isObject, type Json } from '../../oci/decode.ts';
import { type Descriptor, decodeDescriptor } from '../../oci/descriptor.ts';
import { ImagesError } from '../../oci/errors.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import type { RegistryLister } from '../contract.ts';
import { badAnswer, readText } from './answer-errors.ts';
import type { EndpointHttp, EndpointRequest } from './endpoint-http.ts';
import { parseNextLink } from './link-header.ts';
import type { ManifestReader } from './manifests.ts';
import { repositoryPath } from './paths.ts';
import { taggedReferrers } from './referrers-tag.ts';
import { CATALOGUE_SCOPE, repositoryScope } from './scopes.ts';

/** Names asked for at a time: the most that distribution gives. */
const PAGE = '1000';
const MAX_PAGE_BYTES = 32 * 1024 * 1024;

export function lister(http: EndpointHttp, manifests: ManifestReader): RegistryLister {
  return {
    async *repositories(after, { signal } = {}) {
      const request: ListRequest = {
        to: pathWithQuery('/_catalog', { n: PAGE }),
        scopes: [CATALOGUE_SCOPE],
        asked: { what: `catalogue of ${http.host}`, unknown: 'UNSUPPORTED' },
        signal,
      };
      yield* await names(http, request, { field: 'repositories', after });
    },
    async *tags(repository, after, { signal, host: ns } = {}) {
      const request: ListRequest = {
        to: repositoryPath(repository, 'tags/list', { n: PAGE, ns }),
        repository,
        scopes: [repositoryScope(repository, 'pull')],
        asked: { what: `repository ${http.host}/${repository}`, unknown: 'NAME_UNKNOWN' },
        signal,
      };
      yield* await names(http, request, { field: 'tags', after });
    },
    async *referrers(repository, subject, artifactType, options = {}) {
      const request: ListRequest = {
        to: repositoryPath(repository, `referrers/${subject}`, { artifactType, ns: options.host }),
        repository,
        headers: { accept: OCI_INDEX },
        scopes: [repositoryScope(repository, 'pull')],
        asked: { what: `referrers of ${http.host}/${repository}@${subject}`, unknown: 'NAME_UNKNOWN' },
        signal: options.signal,
      };
      for await (const page of pages(http, { ...request, expected: [200, 400, 404, 405] })) {
        if (page.answer.status !== 200) {
          yield* ofType(await taggedReferrers(manifests, repository, { subject, ...options }), artifactType);
          return;
        }
        const filtered = page.answer.headers['oci-filters-applied']?.includes('artifactType');
        const found = readDescriptors(page, request.asked.what);
        yield* filtered ? found : ofType(found, artifactType);
      }
    },
  };
}

type ListRequest = Omit<EndpointRequest, 'method' | 'expected'>;

interface Page {
  readonly answer: HttpAnswer;
  readonly body: Json;
}

/** Follows `Link: <…>; rel="next"`, always at the same host: what it says of the host is often that of a machine behind a proxy. */
async function* pages(http: EndpointHttp, request: Omit<EndpointRequest, 'method'>): AsyncGenerator<Page> {
  const seen = new Set<string>();
  for (let to: EndpointRequest['to'] | undefined = request.to; to !== undefined; ) {
    const answer: HttpAnswer = await http.send({ ...request, method: 'GET', to });
    const text = await readText(answer, MAX_PAGE_BYTES);
    yield { answer, body: answer.status === 200 ? readObject(answer, request, text) : {} };
    const link = answer.status === 200 ? parseNextLink(answer.headers.link?.toString()) : undefined;
    if (link === undefined) return;
    const { path } = resolveHttpUrl(answer.url, link);
    if (seen.has(path))
      throw new ImagesError('BAD_ANSWER', `${answer.url.host} lists ${request.asked.what} in a circle`);
    seen.add(path);
    to = { ...answer.url, path };
  }
}

function readObject(answer: HttpAnswer, { asked }: Pick<EndpointRequest, 'asked'>, text: string): Json {
  try {
    const body: unknown = JSON.parse(text);
    if (isObject(body)) return body;
  } catch {
    // Not JSON: said below, with what came instead.
  }
  throw badAnswer(answer, asked, text);
}

interface Wanted {
  readonly field: 'repositories' | 'tags';
  readonly after: string | undefined;
}

/**
 * All names after `after`, sorted here: distribution lists its catalogue as it walks directories, others as they like,
 * so neither its order nor its `last` can be relied upon.
 */
async function names(http: EndpointHttp, request: ListRequest, { field, after }: Wanted): Promise<readonly string[]> {
  const found = new Set<string>();
  let isNull = true;
  for await (const { answer, body } of pages(http, { ...request, expected: [200] })) {
    isNull &&= body[field] === null;
    // Go writes an empty list as null.
    const entries = body[field] ?? [];
    if (!Array.isArray(entries)) throw badAnswer(answer, request.asked, JSON.stringify(body));
    for (const entry of entries) {
      if (typeof entry === 'string' && (after === undefined || compareBytes(entry, after) > 0)) found.add(entry);
    }
  }
  // So docker-registry lists the tags of a repository whose last one has gone; it says 404 of one that never had any.
  if (field === 'tags' && isNull)
    throw new ImagesError('NAME_UNKNOWN', `there are no tags any more in ${request.asked.what}`);
  return [...found].sort(compareBytes);
}

function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function readDescriptors({ answer, body }: Page, what: string): readonly Descriptor[] {
  if (!Array.isArray(body.manifests)) {
    if (body.manifests === undefined || body.manifests === null) return [];
    throw new ImagesError('BAD_ANSWER', `${answer.url.host} sent no list for ${what}`);
  }
  return body.manifests.map((entry, at) => decodeDescriptor(entry, `manifests[${at}]`));
}

function ofType(found: readonly Descriptor[], artifactType: string | undefined): readonly Descriptor[] {
  return artifactType === undefined ? found : found.filter((each) => each.artifactType === artifactType);
}
