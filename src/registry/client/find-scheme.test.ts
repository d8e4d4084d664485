// Which scheme a host speaks is found out with the first request, whatever that is.
import { expect, it } from 'vitest';
import type { HttpAnswer } from '../../io/http/http.ts';
import type { HttpUrl } from '../../io/http/http-url.ts';
import type { EndpointRequest } from './endpoint-request.ts';
import { findingScheme } from './find-scheme.ts';

const HTTPS_WANTED = 'Client sent an HTTP request to an HTTPS server.\n';

/** A server at 127.0.0.1:5000 that speaks HTTPS alone, or HTTP alone and finds this request wrong. Returns what it was asked. */
function server(speaks: 'http' | 'https') {
  const asked: string[] = [];
  const answer = (method: HttpAnswer['method'], url: HttpUrl): HttpAnswer => {
    const isPlain = !url.secure;
    const isOk = speaks === 'https' ? url.secure : url.path === '/v2/';
    const text = method !== 'HEAD' && isPlain && speaks === 'https' ? HTTPS_WANTED : '';
    return {
      method,
      url,
      status: isOk ? 200 : 400,
      headers: {},
      textWithin: 1000,
      body: (async function* () {
        yield Buffer.from(text);
      })(),
      discard: () => {},
      abort: () => {},
    };
  };
  const reach = findingScheme({
    endpoint: { host: '127.0.0.1:5000' },
    host: '127.0.0.1:5000',
    root: '/v2',
    isPrivate: false,
    plainHttp: { allows: async () => true, check: async () => {} },
    send: async ({ method }: EndpointRequest, url) => {
      asked.push(`${method} ${url.secure ? 'https' : 'http'} ${url.path}`);
      return answer(method, url);
    },
    onDecision: undefined,
  });
  const request = (method: 'GET' | 'HEAD'): EndpointRequest => ({
    method,
    to: '/a/blobs/x',
    scopes: [],
    asked: { what: 'it', unknown: 'BLOB_UNKNOWN' },
    expected: [200],
    signal: undefined,
  });
  return { asked, ask: (method: 'GET' | 'HEAD') => reach(request(method)).then(({ status }) => status) };
}

it('HTTPS, by the words of a 400 to plain HTTP; HEAD gets none, so the root is asked for them', async () => {
  const words = server('https');
  expect(await words.ask('GET')).toBe(200);
  expect(words.asked).toEqual(['GET http /v2/a/blobs/x', 'GET https /v2/a/blobs/x']);
  const wordless = server('https');
  expect(await wordless.ask('HEAD')).toBe(200);
  expect(wordless.asked).toEqual(['HEAD http /v2/a/blobs/x', 'GET http /v2/', 'HEAD https /v2/a/blobs/x']);
  expect(await wordless.ask('HEAD')).toBe(200);
  expect(wordless.asked.slice(3)).toEqual(['HEAD https /v2/a/blobs/x']);
});

it('HTTP, if a 400 to HEAD was about something else', async () => {
  const plain = server('http');
  expect(await plain.ask('HEAD')).toBe(400);
  expect(plain.asked).toEqual(['HEAD http /v2/a/blobs/x', 'GET http /v2/']);
});
