// Requests to one endpoint: scheme, authorization, redirects, retries, and errors for unexpected answers. It knows nothing about the content of requests.
import type { Backoff } from '../../io/concurrency/backoff.ts';
import type { Limiter } from '../../io/concurrency/limiter.ts';
import { retrying } from '../../io/concurrency/retry.ts';
import { failedRequest, type HttpAnswer, type HttpPool } from '../../io/http/http.ts';
import { type HttpUrl, isLoopbackHost, parseHttpUrl } from '../../io/http/http-url.ts';
import { isImagesError } from '../../oci/errors.ts';
import { canonicalHost } from '../../oci/reference.ts';
import { answerError } from './answer-errors.ts';
import { authorizedRequests } from './authorized-requests.ts';
import { createAuthorizer } from './authorizer.ts';
import { type EndpointRequest, isStreamed } from './endpoint-request.ts';
import { findingScheme } from './find-scheme.ts';
import { followingRedirects } from './follow-redirects.ts';
import { isPassing, judgePassing, withTokenRenewed } from './passing.ts';
import { plainHttpRule } from './plain-http.ts';
import type { ClientDecision, CredentialsProvider, Endpoint, RetryEvent } from './settings.ts';

export interface EndpointHttp {
  /** For error messages: the host as people write it. */
  readonly host: string;
  /** The path in front of repositories: `/v2`. */
  readonly root: string;
  /** Returns an answer with an expected status; the caller reads or discards the body. Errors: by the status, and those of the pool. */
  send(request: EndpointRequest): Promise<HttpAnswer>;
  /** Returns the result of `take`. Reading the body is part of the attempt, so a broken body causes a retry. Errors: those of `send` and of `take`. */
  read<T>(request: EndpointRequest, take: (answer: HttpAnswer) => Promise<T>): Promise<T>;
  /** Whether the user has credentials for the host as a whole. Errors: CONFIG_INVALID. */
  hasCredentials(): Promise<boolean>;
}

export interface EndpointContext {
  readonly pool: HttpPool;
  readonly limiter: Limiter;
  readonly backoff: Backoff;
  readonly credentials: CredentialsProvider | undefined;
  /** Whether plain http is tried first. */
  readonly isPrivate: (host: string) => boolean;
  /** Whether the machine's configuration declares a host as insecure. Errors: CONFIG_INVALID. */
  readonly isInsecure: (host: string) => Promise<boolean>;
  readonly userAgent: string;
  readonly onRetry: ((event: RetryEvent) => void) | undefined;
  readonly onDecision: ((event: ClientDecision) => void) | undefined;
}

export function createEndpointHttp(endpoint: Endpoint, context: EndpointContext): EndpointHttp {
  const host = canonicalHost(endpoint.host);
  const root = endpoint.root ?? '/v2';
  const lenient = endpoint.insecure || endpoint.scheme === 'http' || isLoopbackHost(host) || context.isPrivate(host);
  const plainHttp = plainHttpRule(
    { host, lenient },
    async (other) => context.isPrivate(other) || context.isInsecure(other),
  );
  // If plain http is acceptable, so is a certificate that cannot be verified.
  const anyCertificate = endpoint.insecure || (lenient && endpoint.scheme === undefined);
  let hasAnswered = false;
  const isOwn = (url: HttpUrl): boolean =>
    url.host === parseHttpUrl(`${url.secure ? 'https' : 'http'}://${endpoint.host}`).host;

  const repeating = repeatedAttempts(host, context, () => hasAnswered);

  const authorizer = createAuthorizer({
    host,
    credentials: context.credentials,
    onDecision: context.onDecision,
    mayBePlain: plainHttp.allows,
    send: (request) =>
      repeating('a token', undefined, async () => {
        const answer = await context.pool.send({
          ...request,
          anyCertificate: anyCertificate && isOwn(request.url),
          headers: { 'user-agent': context.userAgent, accept: 'application/json', ...request.headers },
        });
        if (!isPassing(answer.status)) return answer;
        throw await answerError(answer, { what: 'a token', unknown: 'UNAUTHORIZED' });
      }),
  });

  const { userAgent, pool, onDecision } = context;
  const follow = followingRedirects({ pool, userAgent, plainHttp, anyCertificate });
  const isConfidential = (url: HttpUrl): boolean => (url.secure && !anyCertificate) || isLoopbackHost(url.host);
  const authorized = authorizedRequests(authorizer, { isOwn, isConfidential, follow });
  const reach = findingScheme({
    endpoint,
    host,
    root,
    plainHttp,
    isPrivate: context.isPrivate(host),
    send: authorized.send,
    onDecision,
  });

  const read = <T>(request: EndpointRequest, take: (answer: HttpAnswer) => Promise<T>): Promise<T> => {
    let mayBeDone = false;
    const work = async (): Promise<T> => {
      const { expected, expectedAgain = [] } = request;
      const known = mayBeDone ? [...expected, ...expectedAgain] : expected;
      const answer = await reach(request).catch((error: unknown) => {
        mayBeDone = true;
        throw error;
      });
      hasAnswered = true;
      mayBeDone ||= answer.status >= 500;
      if (!known.includes(answer.status)) {
        const { repository, scopes } = request;
        const error = await answerError(answer, request.asked, authorizer.access({ repository, scopes }));
        throw authorized.isTooLate(answer) ? withTokenRenewed(error) : error;
      }
      try {
        return await take(answer);
      } catch (error) {
        throw isImagesError(error) ? error.during(failedRequest(answer)) : error;
      }
    };
    // An upload takes as long as its content, which may come from this same host, so it must not hold a permit of the limiter.
    const streams = isStreamed(request.body);
    const attempt = streams ? work : () => context.limiter(work, request.signal);
    return request.once || streams ? attempt() : repeating(request.asked.what, request.signal, attempt);
  };

  return {
    host,
    root,
    read,
    send: (request) => read(request, async (answer) => answer),
    hasCredentials: async () => (await context.credentials?.find(host, undefined)) !== undefined,
  };
}

type Repeating = <T>(what: string, signal: AbortSignal | undefined, attempt: () => Promise<T>) => Promise<T>;

function repeatedAttempts(
  host: string,
  { backoff, onRetry }: Pick<EndpointContext, 'backoff' | 'onRetry'>,
  hasAnswered: () => boolean,
): Repeating {
  return (what, signal, attempt) =>
    retrying(attempt, {
      backoff,
      // A host that has never answered is not likely to answer now.
      judge: (error, done) => judgePassing(error, done, hasAnswered() ? 1 : 0),
      signal,
      onRetry: (after, error) =>
        onRetry?.({
          host,
          what: what.replace(`${host}/`, ''),
          after,
          why: error instanceof Error ? error.message : String(error),
        }),
    });
}
