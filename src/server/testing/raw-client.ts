// What a test needs that counts what one client costs: a server with limits of its own, raw connections, a registry that answers when the test says so.
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { rawManifest } from '../../oci/manifest.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import type { Registry } from '../../registry/contract.ts';
import type { ServerLimits } from '../limits.ts';
import { emptyRegistry, image } from './content.ts';
import { startServer, type TestServer } from './start.ts';

/** It ends with the test. */
export async function limitedServer(registry: Registry, limits: Partial<ServerLimits> = {}): Promise<TestServer> {
  const server = await startServer(registry, limits);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

export interface RawClient {
  readonly socket: Socket;
  readonly received: () => string;
  readonly isClosed: () => boolean;
}

/** A raw connection. With `reads: false`, it never reads the response. */
export function rawClient(server: TestServer, { reads = true } = {}): RawClient {
  const socket = connect(Number(server.host.split(':')[1]), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const chunks: Buffer[] = [];
  let isClosed = false;
  socket.on('error', () => undefined);
  socket.once('close', () => {
    isClosed = true;
  });
  if (reads) socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { socket, received: () => Buffer.concat(chunks).toString('latin1'), isClosed: () => isClosed };
}

/** The text of a request. */
export const rawGet = (path: string, ...headers: readonly string[]) =>
  `${['GET', path, 'HTTP/1.1\r\nHost: x'].join(' ')}\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n`;

/** Failures of the server itself. */
export const failuresOf = (server: TestServer) => server.events.filter((event) => event.type === 'failure');

/** An index of this size, without children. */
export async function putLargeIndex(registry: Registry, tag: string, size: number): Promise<void> {
  const fields = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [], annotations: { a: 'x'.repeat(size) } };
  await registry.putManifest('a', rawManifest(Buffer.from(JSON.stringify(fields))), [tag]);
}

/** Waits until the count no longer changes, and returns it. */
export async function settledCount(count: () => number): Promise<number> {
  for (let before = count(); ; before = count()) {
    await delay(50);
    if (count() === before) return before;
  }
}

/** A registry whose manifest `a:v1` is found only after `release`. */
export function gatedRegistry(): { readonly registry: Registry & { asked(): number }; readonly release: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { manifest } = image();
  let count = 0;
  const registry = {
    ...emptyRegistry(),
    asked: () => count,
    getManifest: async () => {
      count++;
      await promise;
      return manifest;
    },
  };
  return { registry, release: resolve };
}
