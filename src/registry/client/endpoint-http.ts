// Requests to one endpoint: scheme, authorization, redirects, retries, and errors for unexpected answers. It knows nothing about the content of requests.
import type { Backoff } from '../../io/concurrency/backoff.ts';
import type { Limiter } from '../../io/concurrency/limiter.ts';
import { retrying } from '../../io/concurrency/retry.ts';
import { untilAborted } from '../../io/concurrency/until-aborted.ts';
import { failedRequest, type HttpAnswer, type HttpPool, type HttpRequest } from '../../io/http/http.ts';
import { speaksNoTls } from '../../io/http/http-failure.ts';
import { type HttpUrl, isLoopbackHost, parseHttpUrl, resolveHttpUrl, sameOrigin } from '../../io/http/http-url.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { canonicalHost } from '../../oci/reference.ts';
import { type Asked, answerError, readText } from './answer-errors.ts';
import { createAuthorizer, type Need } from './authorizer.ts';
import { isPassing, judgePassing, withTokenRenewed } from './passing.ts';
import { plainHttpRule } from './plain-http.ts';
import type { TokenScope } from './scopes.ts';
import type { ClientDecision, CredentialsProvider, Endpoint, RetryEvent } from './settings.ts';
import { judgeRefusal } from './token-refusals.ts';

export interface EndpointRequest {
  readonly method: HttpRequest['method'];
  /** Path and query below the endpoint's root, `/library/alpine/tags/list`; or the URL of a Location. */
  readonly to: string | HttpUrl;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes are sent again when a retry can help. A stream is sent once; after a failure the caller starts again. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly repository?: string;
  readonly scopes: readonly TokenScope[];
  readonly asked: Asked;
  /** Statuses that are returned; all others are thrown as errors. */
  readonly expected: readonly number[];
  /** Statuses that are also returned after a retry, because the first attempt may have succeeded. */
  readonly expectedAgain?: readonly number[];
  readonly answerWithin?: number;
  /** Disables retries, because the caller has an alternative. */
  readonly once?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface EndpointHttp {
  /** For error messages: the host as people write it. */
  readonly host: string;
  /** The path in front of repositories: `/v2`. */
  readonly root: string;
  /** Returns an answer with an expected status; the caller reads or discards the body. Errors: by the status, and those of the pool. */
  send(request: EndpointRequest): Promise<HttpAnswer>;
  /** Returns the result of `take`. Reading the body is part of the attempt, so a broken body causes a retry. Errors: those of `send` and of `take`. */
  read<T>(request: EndpointRequest, take: (answer: HttpAnswer) => Promise<T>): Promise<T>;
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

const MAX_REDIRECTS = 10;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

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
  let schemes: readonly boolean[] = schemesToTry(endpoint, context.isPrivate(host));
  let hasAnswered = false;
  /** Refused answers for which there is a new token now, but whose request had a stream, which cannot be sent again. */
  const tooLate = new WeakSet<HttpAnswer>();

  const repeating = <T>(what: string, signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> =>
    retrying(attempt, {
      backoff: context.backoff,
      // A host that has never answered is not likely to answer now.
      judge: (error, done) => judgePassing(error, done, hasAnswered ? 1 : 0),
      signal,
      onRetry: (after, error) =>
        context.onRetry?.({
          host,
          what: what.replace(`${host}/`, ''),
          after,
          why: error instanceof Error ? error.message : String(error),
        }),
    });

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

  /** Follows redirects. Secrets are sent only to the origin for which the request was meant. */
  const follow = async (request: EndpointRequest, start: HttpUrl, authorization?: string): Promise<HttpAnswer> => {
    let url = start;
    let secret = authorization;
    for (let hops = 0; ; hops += 1) {
      const answer = await context.pool.send({
        method: request.method,
        url,
        headers: {
          'user-agent': context.userAgent,
          // A compressed answer would change the meaning of ranges, lengths and digests.
          'accept-encoding': 'identity',
          ...request.headers,
          ...(secret !== undefined && { authorization: secret }),
        },
        ...(request.body && { body: request.body }),
        ...(request.answerWithin && { answerWithin: request.answerWithin }),
        signal: request.signal,
        anyCertificate: anyCertificate && sameOrigin(url, start),
      });
      const location = answer.headers.location;
      if (!REDIRECTS.includes(answer.status) || request.expected.includes(answer.status)) return answer;
      answer.discard();
      if (location === undefined || !mayFollow(request, answer.status)) {
        throw new ImagesError(
          'BAD_ANSWER',
          `${url.host} redirects ${request.asked.what} in a way that cannot be followed`,
          { status: answer.status, request: failedRequest(answer) },
        );
      }
      if (hops === MAX_REDIRECTS) {
        throw new ImagesError('BAD_ANSWER', `${start.host} redirects without end for ${request.asked.what}`, {
          hint: 'The registry, or a proxy in front of it, is set up wrongly.',
          request: failedRequest(answer),
        });
      }
      const next = resolveHttpUrl(answer.url, location);
      await plainHttp.check(next, request.asked.what);
      if (!sameOrigin(url, next)) secret = undefined;
      url = next;
    }
  };

  const authorized = async (request: EndpointRequest, url: HttpUrl): Promise<HttpAnswer> => {
    const need: Need = { repository: request.repository, scopes: request.scopes };
    const mine = isOwn(url);
    // The signal ends only this caller's waiting: the token may be fetched for many callers.
    let used = mine ? await untilAborted(authorizer.authorization(need), request.signal) : undefined;
    // Two rounds: the first 401 tells how to authenticate, the second one that a token has expired or had too small a scope.
    for (let renewals = 0; ; renewals += 1) {
      const got = await follow(request, url, used);
      if (!mine || !sameOrigin(got.url, url) || (used === undefined && got.status !== 401)) return got;
      const { answer, isRefusal } = await judgeRefusal(got);
      if (!isRefusal) authorizer.accepted(used);
      if (!isRefusal || renewals === 2) return answer;
      const { status, headers } = answer;
      const refusal = { status, header: headers['www-authenticate'], used, url: answer.url };
      const renewed = authorizer.renewed(need, refusal).catch((error: unknown) => {
        throw isImagesError(error) ? error.during(failedRequest(answer)) : error;
      });
      const next = await untilAborted(renewed, request.signal);
      if (next === undefined) return answer;
      if (isSpent(request.body)) {
        tooLate.add(answer);
        return answer;
      }
      answer.discard();
      used = next;
    }
  };

  const isOwn = (url: HttpUrl): boolean =>
    url.host === parseHttpUrl(`${url.secure ? 'https' : 'http'}://${endpoint.host}`).host;

  /** Sends the request, and finds out with it which scheme the host speaks. */
  const reach = async (request: EndpointRequest): Promise<HttpAnswer> => {
    if (typeof request.to !== 'string') {
      await plainHttp.check(request.to, request.asked.what);
      return authorized(request, request.to);
    }
    const tries = schemes;
    let first: unknown;
    for (const secure of tries) {
      const url = parseHttpUrl(`${secure ? 'https' : 'http'}://${endpoint.host}${root}${request.to}`);
      try {
        const answer = await authorized(request, url);
        if (tries.length > 1 && !secure && (await wantsTls(answer))) throw notPlain(host);
        schemes = [secure];
        if (tries.length > 1) context.onDecision?.({ type: 'scheme', host, scheme: secure ? 'https' : 'http' });
        return answer;
      } catch (error) {
        if (tries.length === 1 || !(secure ? speaksNoTls(error) : isNotPlain(error))) throw error;
        first ??= error;
      }
    }
    throw first;
  };

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
        throw tooLate.has(answer) ? withTokenRenewed(error) : error;
      }
      try {
        return await take(answer);
      } catch (error) {
        throw isImagesError(error) ? error.during(failedRequest(answer)) : error;
      }
    };
    // An upload takes as long as its content, which may come from this same host, so it must not occupy one of the limited slots.
    const streams = isSpent(request.body);
    const attempt = streams ? work : () => context.limiter(work, request.signal);
    return request.once || streams ? attempt() : repeating(request.asked.what, request.signal, attempt);
  };

  return { host, root, read, send: (request) => read(request, async (answer) => answer) };
}

/** `true` is https. For private hosts plain http comes first: nearly all use it, and loading TLS takes longer than asking. */
function schemesToTry(endpoint: Endpoint, isPrivate: boolean): readonly boolean[] {
  if (endpoint.scheme !== undefined) return [endpoint.scheme === 'https'];
  if (isPrivate || isLoopbackHost(endpoint.host)) return [false, true];
  return endpoint.insecure ? [true, false] : [true];
}

/** GET and HEAD follow every redirect. Other methods follow only those that keep method and body, and never with a stream, which cannot be sent again. */
function mayFollow(request: EndpointRequest, status: number): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return true;
  return (status === 307 || status === 308) && !isSpent(request.body);
}

function isSpent(body: EndpointRequest['body']): boolean {
  return body !== undefined && !(body instanceof Uint8Array);
}

const notPlainErrors = new WeakSet<object>();

function notPlain(host: string): ImagesError {
  const error = new ImagesError('BAD_ANSWER', `${host} wants https`);
  notPlainErrors.add(error);
  return error;
}

function isNotPlain(error: unknown): boolean {
  return (
    isImagesError(error, 'BROKEN_OFF') || (typeof error === 'object' && error !== null && notPlainErrors.has(error))
  );
}

/** Whether Go's or nginx's TLS server has answered a plain http request. (Node's closes the connection.) Reads the body of a 400. */
async function wantsTls(answer: HttpAnswer): Promise<boolean> {
  const type = answer.headers['content-type'] ?? '';
  if (answer.status !== 400 || type.includes('json') || answer.headers['docker-distribution-api-version']) return false;
  return /HTTPS/.test(await readText(answer));
}
