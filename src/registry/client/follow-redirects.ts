// Redirects of registries (RFC 9110, section 15.4).
import { failedRequest, type HttpAnswer, type HttpPool } from '../../io/http/http.ts';
import { type HttpUrl, resolveHttpUrl, sameOrigin } from '../../io/http/http-url.ts';
import { ImagesError } from '../../oci/errors.ts';
import { type EndpointRequest, isStreamed } from './endpoint-request.ts';
import type { PlainHttpRule } from './plain-http.ts';

export type SendFollowing = (request: EndpointRequest, start: HttpUrl, authorization?: string) => Promise<HttpAnswer>;

export interface RedirectSettings {
  readonly pool: HttpPool;
  readonly userAgent: string;
  readonly plainHttp: PlainHttpRule;
  /** The endpoint's certificate is not verified. */
  readonly anyCertificate: boolean;
}

const MAX_REDIRECTS = 10;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/** Sends a request and follows redirects. Secrets are sent only to the origin for which the request was meant. Errors: BAD_ANSWER, those of the pool. */
export function followingRedirects({ pool, userAgent, plainHttp, anyCertificate }: RedirectSettings): SendFollowing {
  return async (request, start, authorization) => {
    let url = start;
    let secret = authorization;
    for (let hops = 0; ; hops += 1) {
      const answer = await pool.send({
        method: request.method,
        url,
        headers: {
          'user-agent': userAgent,
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
}

/** GET and HEAD follow every redirect. Other methods follow only those that keep method and body, and never with a stream, which cannot be sent again. */
function mayFollow(request: EndpointRequest, status: number): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return true;
  return (status === 307 || status === 308) && !isStreamed(request.body);
}
