// https or plain http: what an endpoint speaks is found out with the first request, where the user does not say.
import type { HttpAnswer } from '../../io/http/http.ts';
import { speaksNoTls } from '../../io/http/http-failure.ts';
import { type HttpUrl, isLoopbackHost, parseHttpUrl } from '../../io/http/http-url.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { readText } from './answer-errors.ts';
import type { EndpointRequest } from './endpoint-request.ts';
import type { PlainHttpRule } from './plain-http.ts';
import type { ClientDecision, Endpoint } from './settings.ts';

export interface SchemeSettings {
  readonly endpoint: Endpoint;
  readonly host: string;
  readonly root: string;
  readonly isPrivate: boolean;
  readonly plainHttp: PlainHttpRule;
  readonly send: (request: EndpointRequest, url: HttpUrl) => Promise<HttpAnswer>;
  readonly onDecision: ((event: ClientDecision) => void) | undefined;
}

/** Sends a request in the endpoint's scheme; the first one finds out which that is. Errors: those of `send`; BAD_ANSWER. */
export function findingScheme(settings: SchemeSettings): (request: EndpointRequest) => Promise<HttpAnswer> {
  const { endpoint, host, plainHttp, send, onDecision } = settings;
  let schemes: readonly boolean[] = schemesToTry(endpoint, settings.isPrivate);

  const urlOf = (text: string): HttpUrl =>
    endpoint.isStrange ? { ...parseHttpUrl(text), ledBy: { host: 'a client of this registry' } } : parseHttpUrl(text);

  return async (request) => {
    if (typeof request.to !== 'string') {
      await plainHttp.check(request.to, request.asked.what);
      return send(request, request.to);
    }
    const tries = schemes;
    let first: unknown;
    for (const secure of tries) {
      const at = `${secure ? 'https' : 'http'}://${endpoint.host}${settings.root}`;
      const url = urlOf(`${at}${request.to}`);
      try {
        const answer = await send(request, url);
        const askRoot = () => send({ ...request, method: 'GET', to: '/' }, urlOf(`${at}/`));
        if (tries.length > 1 && !secure && (await wantsTls(answer, askRoot))) throw notPlain(host);
        schemes = [secure];
        if (tries.length > 1) onDecision?.({ type: 'scheme', host, scheme: secure ? 'https' : 'http' });
        return answer;
      } catch (error) {
        if (tries.length === 1 || !(secure ? speaksNoTls(error) : isNotPlain(error))) throw error;
        first ??= error;
      }
    }
    throw first;
  };
}

/** `true` is https. For private hosts plain http comes first: nearly all use it, and loading TLS takes longer than asking. */
function schemesToTry(endpoint: Endpoint, isPrivate: boolean): readonly boolean[] {
  if (endpoint.scheme !== undefined) return [endpoint.scheme === 'https'];
  if (isPrivate || isLoopbackHost(endpoint.host)) return [false, true];
  return endpoint.insecure ? [true, false] : [true];
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

/** Whether a TLS server of Go, nginx or our own has answered a plain http request. (Node's closes the connection.) Reads the body of a 400, which HEAD does not get. */
async function wantsTls(answer: HttpAnswer, askRoot: () => Promise<HttpAnswer>): Promise<boolean> {
  const type = answer.headers['content-type'] ?? '';
  if (answer.status !== 400 || type.includes('json') || answer.headers['docker-distribution-api-version']) return false;
  if (answer.method === 'HEAD') return await wantsTls(await askRoot(), askRoot);
  return /HTTPS/.test(await readText(answer));
}
