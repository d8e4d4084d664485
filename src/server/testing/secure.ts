// A server with TLS for one test: an own CA, and requests that trust it.
import { mkdtemp, rm } from 'node:fs/promises';
import type { SecureClientSessionOptions } from 'node:http2';
import { type ClientHttp2Session, type ClientSessionOptions, connect, type OutgoingHttpHeaders } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openAuthority } from '../../certificates/authority.ts';
import type { TlsContexts } from '../../certificates/contract.ts';
import { contextsFromAuthority } from '../../certificates/server-context.ts';
import type { Registry } from '../../registry/contract.ts';
import type { ServerEvent } from '../events.ts';
import type { ServerLimits } from '../limits.ts';
import { type RunningServer, type ServeOptions, serve } from '../listen.ts';
import { emptyRegistry } from './content.ts';

export interface SecureServer {
  readonly running: RunningServer;
  readonly port: number;
  /** `https://localhost:PORT` */
  readonly url: string;
  /** The certificate of the CA, and the file that has it. */
  readonly ca: string;
  readonly caFile: string;
  readonly contexts: TlsContexts;
  readonly events: readonly ServerEvent[];
  /** An HTTP/2 connection, closed after the test. */
  connect(options?: ClientSessionOptions | SecureClientSessionOptions): ClientHttp2Session;
}

export async function startSecure(
  registry: Registry = emptyRegistry(),
  limits: Partial<ServerLimits> = {},
  options: Pick<ServeOptions, 'access' | 'grace'> = {},
): Promise<SecureServer> {
  const directory = await mkdtemp(join(tmpdir(), 'images-secure-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const authority = await openAuthority({ directory, machine: 'test' });
  const contexts = await contextsFromAuthority({ authority, directory, names: () => ['localhost', '127.0.0.1'] });
  onTestFinished(() => contexts[Symbol.dispose]());
  const events: ServerEvent[] = [];
  const listen = [{ host: '127.0.0.1', port: 0, tls: true }];
  const running = await serve({
    registry,
    listen,
    tls: contexts,
    limits,
    grace: 1000,
    onEvent: (event) => events.push(event),
    ...options,
  });
  onTestFinished(() => running[Symbol.asyncDispose]());
  const port = running.addresses[0]?.port ?? 0;
  const url = `https://localhost:${port}`;
  return {
    ...{ running, port, url, contexts, events, ca: authority.certificate, caFile: join(directory, 'ca.crt') },
    connect: (more = {}) => {
      const session = connect(`https://127.0.0.1:${port}`, { ca: authority.certificate, ...more });
      session.on('error', () => {});
      onTestFinished(() => session.destroy());
      return session;
    },
  };
}

export interface Http2Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  /** What the stream was ended with (RFC 9113, section 7). */
  readonly code: number;
}

/** One request on an HTTP/2 connection. Resolves when the stream has closed, also if it was reset. */
export function askHttp2(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: Uint8Array | string,
): Promise<Http2Answer> {
  const { promise, resolve } = Promise.withResolvers<Http2Answer>();
  const stream = session.request(headers, { endStream: body === undefined });
  const chunks: Buffer[] = [];
  let answer: Record<string, unknown> = {};
  stream.on('response', (received) => {
    answer = { ...received };
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', () => {});
  stream.on('close', () =>
    resolve({
      status: Number(answer[':status'] ?? 0),
      headers: answer,
      body: Buffer.concat(chunks),
      code: stream.rstCode,
    }),
  );
  if (body !== undefined) stream.end(body);
  return promise;
}
