// Lists over HTTP: catalogue, tags and referrers. Reads page after page and sorts by bytes, whatever the order of the registry.
import type { HttpAnswer } from '../../io/http/http.ts';
import { pathWithQuery } from '../../io/http/http-url.ts';
import { readWhole } from '../../io/http/http-whole.ts';
import { quote } from '../../io/text/quote.ts';
import { addAll } from '../../oci/add-all.ts';
import { isObject, type Json } from '../../oci/decode.ts';
import { type Descriptor, decodeDescriptor } from '../../oci/descriptor.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import type { RegistryLister } from '../contract.ts';
import { badAnswer } from './answer-errors.ts';
import { uncoded } from './content-encoding.ts';
import type { EndpointHttp } from './endpoint-http.ts';
import type { EndpointRequest } from './endpoint-request.ts';
import { parseNextLink } from './link-header.ts';
import type { ManifestReader } from './manifests.ts';
import { repositoryPath } from './paths.ts';
import { ping } from './ping.ts';
import { taggedReferrers } from './referrers-tag.ts';
import { CATALOGUE_SCOPE, repositoryScope } from './scopes.ts';
import { FOUND } from './statuses.ts';

/** Names for each page: the most that distribution accepts. */
const PAGE = '1000';
const MAX_PAGE_BYTES = 32 * 1024 * 1024;
/** Milliseconds for a page. */
const PAGE_WITHIN = 120_000;

/** More than any real list has. A host that always names one more page is not followed further. */
export interface ListLimits {
  readonly pages: number;
  /** Of all pages together. */
  readonly bytes: number;
}

const LIMITS: ListLimits = { pages: 10_000, bytes: 128 * 1024 * 1024 };

/** Statuses of registries without the referrers API. */
const NO_REFERRERS: readonly number[] = [400, 404, 405, 406, 501];

export function lister(http: EndpointHttp, manifests: ManifestReader, limits: ListLimits = LIMITS): RegistryLister {
  return {
    async *repositories(after, { signal } = {}) {
      // Who has not logged in may be shown less, without a word: the host is let ask first.
      if (await http.hasCredentials()) await pinged(http, signal);
      const request: ListRequest = {
        to: pathWithQuery('/_catalog', { n: PAGE }),
        scopes: [CATALOGUE_SCOPE],
        asked: { what: `catalogue of ${http.host}`, unknown: 'UNSUPPORTED' },
        signal,
        limits,
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
        limits,
      };
      yield* await names(http, request, { field: 'tags', after });
    },
    async *referrers(repository, subject, artifactType, { after = '', ...options } = {}) {
      const request: ListRequest = {
        to: repositoryPath(repository, `referrers/${subject}`, { artifactType, ns: options.host }),
        repository,
        headers: { accept: OCI_INDEX },
        scopes: [repositoryScope(repository, 'pull')],
        asked: { what: `referrers of ${http.host}/${repository}@${subject}`, unknown: 'NAME_UNKNOWN' },
        signal: options.signal,
        limits,
      };
      const found: Descriptor[] = [];
      for await (const page of pages(http, { ...request, expected: [...FOUND, ...NO_REFERRERS] })) {
        if (NO_REFERRERS.includes(page.answer.status)) {
          const tagged = await taggedReferrers(manifests, repository, { subject, ...options });
          addAll(found, ofType(tagged, artifactType));
          break;
        }
        const filtered = page.answer.headers['oci-filters-applied']?.includes('artifactType');
        const listed = readDescriptors(page, request.asked.what);
        addAll(found, filtered ? listed : ofType(listed, artifactType));
      }
      yield* inOrder(found, after);
    },
  };
}

/** Wrong credentials are an error; else the list itself tells what is wrong. */
async function pinged(http: EndpointHttp, signal: AbortSignal | undefined): Promise<void> {
  try {
    await ping(http, { ...(signal && { signal }) });
  } catch (error) {
    if (!isImagesError(error) || isImagesError(error, 'UNAUTHORIZED', 'ABORTED')) throw error;
  }
}

type ListRequest = Omit<EndpointRequest, 'method' | 'expected' | 'to'> & {
  /** Path and query below the endpoint's root. */
  readonly to: string;
  readonly limits: ListLimits;
};

interface Page {
  readonly answer: HttpAnswer;
  /** Empty if there is no list. */
  readonly body: Json;
  readonly bytes: number;
}

/**
 * Follows `Link: …; rel="next"`. Only the query of a link is used, with the path of the request: host and path in links are often those of a machine behind a
 * proxy. Errors: BAD_ANSWER if there may be another page that cannot be requested, and for a list that never ends.
 */
async function* pages(
  http: EndpointHttp,
  request: ListRequest & Pick<EndpointRequest, 'expected'>,
): AsyncGenerator<Page> {
  const { what } = request.asked;
  const { limits } = request;
  const seen = new Set<string>();
  let bytes = 0;
  for (let to: string | undefined = request.to; to !== undefined; ) {
    const page: Page = await http.read({ ...request, method: 'GET', to }, (answer) => readPage(answer, request));
    yield page;
    const { host } = page.answer.url;
    to = FOUND.includes(page.answer.status) ? nextPage(request, page.answer) : undefined;
    if (to === undefined) return;
    if (seen.has(to)) throw new ImagesError('BAD_ANSWER', `${host} lists ${what} in a circle`);
    seen.add(to);
    bytes += page.bytes;
    if (seen.size >= limits.pages || bytes > limits.bytes) {
      throw new ImagesError('BAD_ANSWER', `${host} lists ${what} without end [${seen.size} pages, ${bytes} bytes]`);
    }
  }
}

function nextPage({ to, asked }: ListRequest, answer: HttpAnswer): string | undefined {
  const header = answer.headers.link?.toString();
  const link = parseNextLink(header);
  if (link.type === 'none') return undefined;
  const query = link.type === 'next' ? /\?([^#]+)/.exec(link.target)?.[1] : undefined;
  if (query === undefined) {
    throw new ImagesError(
      'BAD_ANSWER',
      `the next page of ${asked.what} cannot be asked for: the Link header of ${answer.url.host} is not understood [${quote(header ?? '', 100)}]`,
      { hint: 'The registry, or a proxy in front of it, is set up wrongly: the list would not be whole.' },
    );
  }
  const [path = '', own = ''] = to.split('?', 2);
  // A mirror of many hosts needs `ns` with each request, to know which host is meant.
  const ns = /(?:^|&)(ns=[^&]*)/.exec(own)?.[1];
  return `${path}?${query}${ns && !/(?:^|&)ns=/.test(query) ? `&${ns}` : ''}`;
}

async function readPage(answer: HttpAnswer, { asked }: Pick<EndpointRequest, 'asked'>): Promise<Page> {
  if (!FOUND.includes(answer.status)) {
    answer.discard();
    return { answer, body: {}, bytes: 0 };
  }
  const sent = await readWhole(answer, { bytes: MAX_PAGE_BYTES, within: PAGE_WITHIN });
  const plain = await uncoded(answer, sent, {
    limit: MAX_PAGE_BYTES,
    wanted: (bytes) => parseObject(bytes) !== undefined,
  });
  const body = parseObject(plain);
  if (body) return { answer, body, bytes: plain.length };
  throw badAnswer(answer, asked, Buffer.from(plain.subarray(0, 1024)).toString('utf8'));
}

function parseObject(bytes: Uint8Array): Json | undefined {
  try {
    const body: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
    return isObject(body) ? body : undefined;
  } catch {
    // Not JSON: the caller reports what came instead.
    return undefined;
  }
}

interface Wanted {
  readonly field: 'repositories' | 'tags';
  readonly after: string | undefined;
}

/**
 * All names after `after`, sorted here. Distribution lists its catalogue in the order in which it walks directories, and others in any order,
 * so neither the order nor the parameter `last` is reliable.
 */
async function names(http: EndpointHttp, request: ListRequest, { field, after }: Wanted): Promise<readonly string[]> {
  const found = new Set<string>();
  let isNull = true;
  for await (const { answer, body } of pages(http, { ...request, expected: FOUND })) {
    isNull &&= body[field] === null;
    // Go encodes an empty list as null.
    const entries = body[field] ?? [];
    if (!Array.isArray(entries)) throw badAnswer(answer, request.asked, JSON.stringify(body));
    for (const entry of entries) {
      if (typeof entry === 'string' && (after === undefined || compareBytes(entry, after) > 0)) found.add(entry);
    }
  }
  // docker-registry answers this for a repository whose last tag was deleted, and 404 for one that never had tags.
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

/** Sorted and without duplicates, because registries list referrers in any order. */
function inOrder(found: readonly Descriptor[], after: string): readonly Descriptor[] {
  const distinct = [...new Map(found.map((one) => [one.digest, one])).values()];
  return distinct.filter(({ digest }) => digest > after).sort((a, b) => compareBytes(a.digest, b.digest));
}

function ofType(found: readonly Descriptor[], artifactType: string | undefined): readonly Descriptor[] {
  return artifactType === undefined ? found : found.filter((each) => each.artifactType === artifactType);
}
