// Deleting over HTTP (distribution specification 1.1, "Content Management").
import { UNNEEDED_TOO } from '../unneeded.ts';
import type { EndpointHttp } from './endpoint-http.ts';
import type { EndpointRequest } from './endpoint-request.ts';
import { repositoryScope } from './scopes.ts';
import { DONE } from './statuses.ts';

export type RemoveRequest = Pick<EndpointRequest, 'to' | 'asked' | 'signal'> & {
  readonly repository: string;
  readonly unneeded?: boolean | undefined;
};

/** Deletes. Errors: what `asked` says for 404, UNSUPPORTED, DENIED. */
export async function remove(http: EndpointHttp, { unneeded, ...removal }: RemoveRequest): Promise<void> {
  const answer = await http.send({
    ...removal,
    method: 'DELETE',
    ...(unneeded && { headers: { [UNNEEDED_TOO.name]: UNNEEDED_TOO.value } }),
    scopes: [repositoryScope(removal.repository, 'pull', 'delete')],
    expected: DONE,
    // On a retry 404 means success: the first request deleted it and its answer was lost.
    expectedAgain: [404],
  });
  answer.discard();
}
