// Clients that disconnect before the response: everything that was reserved for it is released, however often they do so.
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventually } from '../../test/testing/eventually.ts';
import { rawManifest } from '../oci/manifest.ts';
import { OCI_INDEX } from '../oci/media-types.ts';
import type { Registry } from '../registry/contract.ts';
import { ask } from './testing/ask.ts';
import { blob, emptyRegistry, putBlob } from './testing/content.ts';
import { startServer, type TestServer } from './testing/start.ts';

/** A registry that answers only when the client has disconnected. The reference `now` is answered at once. */
function late(inner: Registry, isAsked: () => void): Registry {
  const gone = async (signal: AbortSignal | undefined) => {
    isAsked();
    if (signal && !signal.aborted) await once(signal, 'abort');
  };
  return {
    ...inner,
    getManifest: async (repository, reference, options) => {
      if (reference !== 'now') await gone(options?.signal);
      return inner.getManifest(repository, 'now');
    },
    getBlob: async (repository, digest, options) => {
      await gone(options?.signal);
      return inner.getBlob(repository, digest);
    },
  };
}

/** Sends a request, and disconnects as soon as the registry is called. */
async function askAndGo(server: TestServer, path: string, asked: { of: number }): Promise<void> {
  const before = { asked: asked.of, events: server.events.length };
  const socket = connect(Number(server.host.split(':')[1]), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await eventually(() => asked.of > before.asked);
  socket.destroy();
  await eventually(() => server.events.length > before.events);
}

async function start(inner: Registry, heldBytes: number): Promise<{ server: TestServer; asked: { of: number } }> {
  const asked = { of: 0 };
  const registry = late(inner, () => {
    asked.of += 1;
  });
  const server = await startServer(registry, { heldBytes });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return { server, asked };
}

describe('clients that go before their answer', () => {
  it('leave no memory that counts as held for them', async () => {
    const inner = emptyRegistry();
    const large = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [], annotations: { a: 'x'.repeat(1_000_000) } };
    await inner.putManifest('a', rawManifest(Buffer.from(JSON.stringify(large))), ['now']);
    const { server, asked } = await start(inner, 2_500_000);
    for (let count = 0; count < 4; count++) await askAndGo(server, '/v2/a/manifests/late', asked);
    expect((await ask(`${server.url}/v2/a/manifests/now`, 'GET')).status).toBe(200);
  });

  it('leave no timer that watches their transfer', async () => {
    const inner = emptyRegistry();
    const content = blob('a'.repeat(100_000));
    await putBlob(inner, 'a', content);
    const { server, asked } = await start(inner, 1_000_000);
    const set = vi.spyOn(globalThis, 'setInterval');
    const cleared = vi.spyOn(globalThis, 'clearInterval');
    onTestFinished(() => void vi.restoreAllMocks());
    for (let count = 0; count < 3; count++) await askAndGo(server, `/v2/a/blobs/${content.descriptor.digest}`, asked);
    await new Promise(setImmediate);
    const watching = set.mock.results.map(({ value }) => value);
    const ended = new Set(cleared.mock.calls.map(([timer]) => timer));
    expect(watching.filter((timer) => !ended.has(timer))).toEqual([]);
  });
});
