// One request to an endpoint, as the parts of the client write it.
import type { HttpRequest } from '../../io/http/http.ts';
import type { HttpUrl } from '../../io/http/http-url.ts';
import type { Asked } from './answer-errors.ts';
import type { TokenScope } from './scopes.ts';

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

/** Whether the body is a stream: it can be sent once. */
export function isStreamed(body: EndpointRequest['body']): boolean {
  return body !== undefined && !(body instanceof Uint8Array);
}
