// What a handler gets beside its request: the registry, the client's headers and body, and the signal that the client is gone.
import type { IncomingHttpHeaders } from 'node:http';
import type { Limiter } from '../io/concurrency/limiter.ts';
import type { Bytes } from '../io/streams/bytes.ts';
import { canonicalHost } from '../oci/reference.ts';
import type { ReadOptions, Registry } from '../registry/contract.ts';
import type { ActiveUploads } from './active-uploads.ts';
import type { HeldBytes } from './held-bytes.ts';
import type { ServerLimits } from './limits.ts';
import type { Reply } from './reply.ts';
import type { RegistryRequest } from './request.ts';
import type { UnfinishedUploads } from './unfinished-uploads.ts';

export interface RequestBody {
  /** As the client announced it; `undefined` for a body that is streamed. */
  readonly length: number | undefined;
  /** To be read at most once. Throws when the client breaks off or falls silent. */
  readonly bytes: Bytes;
  /** Ends the connection, and with it a read of `bytes` that waits for a client that will not send any more. */
  breakOff(): void;
}

/** What all requests of a server share, so that together they cost no more than it allows. */
export interface Shared {
  readonly registry: Registry;
  readonly limits: ServerLimits;
  /** A place among the manifests that are read or written now: nothing in it waits for a client. */
  readonly manifests: Limiter;
  /** The same for lists. */
  readonly lists: Limiter;
  readonly held: HeldBytes;
  readonly uploads: ActiveUploads;
  readonly unfinished: UnfinishedUploads;
  /** What `/healthz` says. */
  readonly health: () => Promise<Reply>;
}

export interface Call extends Shared {
  readonly headers: IncomingHttpHeaders;
  readonly body: RequestBody;
  /** Who asks (see `clientOf`). */
  readonly client: string;
  readonly signal: AbortSignal;
}

export type RequestOf<Kind extends RegistryRequest['kind']> = Extract<RegistryRequest, { readonly kind: Kind }>;

export type Handler<Kind extends RegistryRequest['kind']> = (request: RequestOf<Kind>, call: Call) => Promise<Reply>;

/** What a read needs of a request: the host that its name was asked for at, in the one spelling of each host. */
export function readOptionsOf(request: { readonly host?: string }, call: Call): ReadOptions {
  return { signal: call.signal, ...(request.host && { host: canonicalHost(request.host) }) };
}
