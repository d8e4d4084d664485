// Pages of a registry for those who run it, beside `/v2/`: shown to the owner of the store, and to who may pull everything.
import type { IncomingHttpHeaders } from 'node:http';
import type { AccessControl, Asker } from '../access/contract.ts';
import { ImagesError } from '../oci/errors.ts';
import { errorBody, type Reply } from './reply.ts';
import type { RegistryRequest } from './request.ts';

export type OperatorPage = 'metrics' | 'events';

type OperatorRequest = Extract<RegistryRequest, { readonly kind: OperatorPage }>;

export interface OperatorCall {
  readonly headers: IncomingHttpHeaders;
  /** Aborted when the client has gone, or the server stops: an answer without an end of its own ends then. */
  readonly signal: AbortSignal;
}

/** Pages that are absent are answered as any other path that there is not. */
export interface OperatorPages {
  /** `GET /metrics`. */
  readonly metrics?: (call: OperatorCall) => Reply | Promise<Reply>;
  /** `GET /images/events`; `after`: the cursor from which to go on. */
  readonly events?: (call: OperatorCall & { readonly after?: string }) => Reply | Promise<Reply>;
  /** Whether everybody may see this page. Asked each time. */
  isOpen?(page: OperatorPage): boolean;
}

export function isForOperators(request: RegistryRequest): request is OperatorRequest {
  return request.kind === 'metrics' || request.kind === 'events';
}

/** Errors: UNAUTHORIZED (nobody has logged in), DENIED. */
export function requireOperator(asker: Asker, access: Pick<AccessControl, 'mayDo'>): void {
  if (asker.via === 'owner' || access.mayDo(asker, 'pull')) return;
  const what = 'only who may pull everything sees what the registry does';
  throw new ImagesError(asker.via === 'nobody' ? 'UNAUTHORIZED' : 'DENIED', what);
}

export async function operatorPage(
  request: OperatorRequest,
  pages: OperatorPages,
  { headers, signal }: OperatorCall,
): Promise<Reply> {
  if (request.kind === 'metrics' && pages.metrics) return await pages.metrics({ headers, signal });
  if (request.kind === 'events' && pages.events) {
    return await pages.events({ headers, signal, ...(request.after !== undefined && { after: request.after }) });
  }
  return errorBody(404, { code: 'UNSUPPORTED', message: `there are no ${request.kind} here` });
}
