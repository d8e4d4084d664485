// A faulty server with one blob and one index, and clients for it: the set-up of tests for failures.
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { beforeEach, expect } from 'vitest';
import type { Bytes } from '../../../io/streams/bytes.ts';
import { type Digest, digestOf } from '../../../oci/digest.ts';
import { ImagesError } from '../../../oci/errors.ts';
import { OCI_INDEX } from '../../../oci/media-types.ts';
import type { Registry } from '../../contract.ts';
import { type RegistryClients, registryClients } from '../registry-clients.ts';
import type { RetryEvent } from '../settings.ts';
import { type FaultyServer, startFaultyServer } from './faulty-server.ts';

export const blob: Buffer = randomBytes(400_000);
export const digest: Digest = digestOf(blob);
export const index: Buffer = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }));

export interface FaultyRegistry extends AsyncDisposable {
  readonly server: FaultyServer;
  readonly clients: RegistryClients;
  /** The client for the server; it tries four times, with short pauses. */
  readonly registry: Registry;
  /** Retries so far. */
  readonly retries: RetryEvent[];
  /** How long it has waited before each, in milliseconds: it only says so, and goes on at once. */
  readonly pauses: number[];
}

/** A new one for each test of the file: `let { server } = {} as FaultyRegistry; faultyForEach((faulty) => ({ server } = faulty));`. */
export function faultyForEach(take: (faulty: FaultyRegistry) => unknown): void {
  beforeEach(async () => {
    const faulty = await startFaultyRegistry();
    take(faulty);
    return () => faulty[Symbol.asyncDispose]();
  });
}

async function startFaultyRegistry(): Promise<FaultyRegistry> {
  const server = await startFaultyServer({ contents: [blob], manifest: { bytes: index, mediaType: OCI_INDEX } });
  const retries: RetryEvent[] = [];
  const pauses: number[] = [];
  const sleep = async (milliseconds: number): Promise<void> => {
    pauses.push(milliseconds);
    await new Promise(setImmediate);
  };
  const clients = registryClients({
    temporaryDirectory: tmpdir(),
    backoff: { attempts: 4, base: 2, longest: 2000, sleep },
    onRetry: (event) => retries.push(event),
  });
  return {
    server,
    clients,
    registry: clients.forHost(server.host),
    retries,
    pauses,
    async [Symbol.asyncDispose]() {
      await clients[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

export async function getBlob(registry: Registry, from = 0): Promise<Buffer> {
  return collect((await registry.getBlob('app', digest, { from })).body);
}

export async function collect(body: Bytes): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(body));
}

/** Returns the error of `work`; fails if there is none. */
export async function failure(work: Promise<unknown>): Promise<ImagesError> {
  const thrown = await work.then(
    () => undefined,
    (error) => error,
  );
  expect(thrown).toBeInstanceOf(ImagesError);
  return thrown;
}
