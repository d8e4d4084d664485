// What a handler gets beside its request: the registry, the client's headers and body, and the signal that the client is gone.
import type { IncomingHttpHeaders } from 'node:http';
import { canonicalHost } from '../oci/reference.ts';
import type { Bytes, ReadOptions, Registry } from '../registry/contract.ts';
import type { ActiveUploads } from './active-uploads.ts';
import type { Reply } from './reply.ts';
import type { RegistryRequest } from './request.ts';

export interface RequestBody {
  /** As the client announced it; `undefined` for a body that is streamed. */
  readonly length: number | undefined;
  /** To be read at most once. Throws when the client breaks off or falls silent. */
  readonly bytes: Bytes;
  /** Ends the connection, and with it a read of `bytes` that waits for a client that will not send any more. */
  breakOff(): void;
}

export interface Call {
  readonly registry: Registry;
  readonly headers: IncomingHttpHeaders;
  readonly body: RequestBody;
  readonly uploads: ActiveUploads;
  readonly signal: AbortSignal;
}

export type RequestOf<Kind extends RegistryRequest['kind']> = Extract<RegistryRequest, { readonly kind: Kind }>;

export type Handler<Kind extends RegistryRequest['kind']> = (request: RequestOf<Kind>, call: Call) => Promise<Reply>;

/** What a read needs of a request: the host that its name was asked for at, in the one spelling of each host. */
export function readOptions(request: { readonly host?: string }, call: Call): ReadOptions {
  return { signal: call.signal, ...(request.host && { host: canonicalHost(request.host) }) };
}
