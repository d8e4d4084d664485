// Asks whether a registry lets this user in (distribution specification, end-1).
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { EndpointHttp } from './endpoint-http.ts';

/** Errors: UNAUTHORIZED, DENIED, those of every request. */
export async function ping(http: EndpointHttp, { signal }: CallOptions = {}): Promise<void> {
  const answer = await http.send({
    method: 'GET',
    to: '/',
    scopes: [],
    asked: { what: `a login at ${http.host}`, unknown: 'UNSUPPORTED' },
    expected: [200],
    signal,
  });
  await answer.discard();
}
