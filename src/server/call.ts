// What a handler gets besides the request value: the registry, headers and body, and a signal for when the client has gone.
import type { IncomingHttpHeaders } from 'node:http';
import type { Limiter } from '../io/concurrency/limiter.ts';
import type { Bytes } from '../io/streams/bytes.ts';
import { canonicalHost } from '../oci/reference.ts';
import type { ReadOptions, Registry } from '../registry/contract.ts';
import { VIA_HEADER, viaOf } from '../registry/via-header.ts';
import type { ActiveUploads } from './active-uploads.ts';
import type { Health } from './health.ts';
import type { HeldBytes } from './held-bytes.ts';
import type { ServerLimits } from './limits.ts';
import type { OperatorPages } from './operator-pages.ts';
import type { Reply } from './reply.ts';
import type { RegistryRequest } from './request.ts';
import type { UnfinishedUploads } from './unfinished-uploads.ts';

export interface RequestBody {
  /** Content-Length; `undefined` for a chunked body. */
  readonly length: number | undefined;
  /** Can be read once. Throws if the client disconnects or falls silent. */
  readonly bytes: Bytes;
  /** Ends the connection, and so a pending read of `bytes` from a client that sends nothing more. */
  breakOff(): void;
}

/** For registries that fetch what is missing. */
export interface Fetching {
  /** Waits, before a manifest is looked for and while no permit is held, until it is here. Errors: those of `getManifest`. */
  readonly prepare?: (repository: string, reference: string, options: ReadOptions) => Promise<void>;
  /** The same for names that look-ups do not heed: said as `askedAs`. */
  readonly hostOf?: (name: string) => string | undefined;
  /** The host that `ns` means, in its canonical spelling. Default: as it is said. */
  readonly namedBy?: (name: string) => string;
  /** The host that clients mean who ask for this name (the header Host), because the registry's address was given to them as that host's. */
  readonly meantBy?: (name: string) => string | undefined;
}

/** State shared by all requests of a server, for limits on their total cost. */
export interface Shared {
  readonly registry: Registry;
  readonly limits: ServerLimits;
  /** A limiter for manifests that are being read or written. Nothing waits for a client while it holds a permit. */
  readonly manifests: Limiter;
  /** The same for lists. */
  readonly lists: Limiter;
  readonly held: HeldBytes;
  readonly uploads: ActiveUploads;
  readonly unfinished: UnfinishedUploads;
  readonly fetching: Fetching;
  readonly operators: OperatorPages;
  /** Answers `/healthz` and `/readyz`. */
  readonly health: Health;
  /** Aborted when the server stops: answers that have no end of their own end then. */
  readonly stopping: AbortSignal;
}

export interface Call extends Shared {
  /** Of the request. */
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: RequestBody;
  /** The client that asks (see `clientOf`). */
  readonly client: string;
  readonly signal: AbortSignal;
}

export type RequestOf<Kind extends RegistryRequest['kind']> = Extract<RegistryRequest, { readonly kind: Kind }>;

export type Handler<Kind extends RegistryRequest['kind']> = (request: RequestOf<Kind>, call: Call) => Promise<Reply>;

/** Options for reading: the host for which the name was requested (`ns`, else as `meantBy` says), in its canonical spelling. */
export function readOptionsOf(request: { readonly host?: string }, call: Call): ReadOptions {
  const { headers, fetching, signal, id } = call;
  const host = request.host
    ? (fetching.namedBy ?? canonicalHost)(request.host)
    : fetching.meantBy?.(headers.host ?? '');
  const via = viaOf(headers[VIA_HEADER]);
  const askedAs = host === undefined ? fetching.hostOf?.(headers.host ?? '') : undefined;
  return { signal, requestId: id, ...(host && { host }), ...(askedAs && { askedAs }), ...(via.length > 0 && { via }) };
}
