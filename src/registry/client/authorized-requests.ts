// Requests with the authorization that the endpoint asks for: sent again with a new token where the old one is refused.
import { untilAborted } from '../../io/concurrency/until-aborted.ts';
import { failedRequest, type HttpAnswer } from '../../io/http/http.ts';
import { type HttpUrl, sameOrigin } from '../../io/http/http-url.ts';
import { isImagesError } from '../../oci/errors.ts';
import type { Authorizer, Need } from './authorizer.ts';
import { type EndpointRequest, isStreamed } from './endpoint-request.ts';
import type { SendFollowing } from './follow-redirects.ts';
import { judgeRefusal } from './token-refusals.ts';

export interface AuthorizedRequests {
  /** The answer may still be a refusal. Errors: those of `follow` and of the token server. */
  send(request: EndpointRequest, url: HttpUrl): Promise<HttpAnswer>;
  /** Whether this refusal came although there is a new token now: its request had a stream, which cannot be sent again. */
  isTooLate(answer: HttpAnswer): boolean;
}

export interface AuthorizedSettings {
  /** The URL is the endpoint's; no other one gets its authorization. */
  readonly isOwn: (url: HttpUrl) => boolean;
  /** See `Need`. */
  readonly isConfidential: (url: HttpUrl) => boolean;
  readonly follow: SendFollowing;
}

export function authorizedRequests(
  authorizer: Authorizer,
  { isOwn, isConfidential, follow }: AuthorizedSettings,
): AuthorizedRequests {
  const tooLate = new WeakSet<HttpAnswer>();

  const send = async (request: EndpointRequest, url: HttpUrl): Promise<HttpAnswer> => {
    const { repository, scopes } = request;
    const need: Need = { repository, scopes, confidential: isConfidential(url) ? schemeOf(url) : undefined };
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
      if (isStreamed(request.body)) {
        tooLate.add(answer);
        return answer;
      }
      answer.discard();
      used = next;
    }
  };

  return { send, isTooLate: (answer) => tooLate.has(answer) };
}

function schemeOf({ secure }: HttpUrl): 'http' | 'https' {
  return secure ? 'https' : 'http';
}
