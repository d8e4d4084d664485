// Deleting over HTTP (distribution specification 1.1, "Content Management").
import { UNNEEDED_TOO } from '../unneeded.ts';
import type { EndpointHttp, EndpointRequest } from './endpoint-http.ts';
import { repositoryScope } from './scopes.ts';
import { DONE } from './statuses.ts';

export type RemoveRequest = Pick<EndpointRequest, 'to' | 'asked' | 'signal'> & {
  readonly repository: string;
  readonly unneeded?: boolean | undefined;
};

/** Errors: what `asked` says of 404, UNSUPPORTED, DENIED. */
export async function remove(http: EndpointHttp, { unneeded, ...removal }: RemoveRequest): Promise<void> {
  const answer = await http.send({
    ...removal,
    method: 'DELETE',
    ...(unneeded && { headers: { [UNNEEDED_TOO.name]: UNNEEDED_TOO.value } }),
    scopes: [repositoryScope(removal.repository, 'pull', 'delete')],
    expected: DONE,
    // It is gone: the answer that said so first was lost.
    expectedAgain: [404],
  });
  answer.discard();
}
