// Listening on several addresses, failures of one of them, and graceful shutdown.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, get as httpGet, type IncomingMessage } from 'node:http';
import { connect, createServer, Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Bytes } from '../io/streams/bytes.ts';
import { formatListenAddress, type ListenAddress } from './address.ts';
import { type RunningServer, serve } from './listen.ts';
import { ask } from './testing/ask.ts';
import { blob, emptyRegistry, putBlob } from './testing/content.ts';

const run = promisify(execFile);
const LOOPBACK = { host: '127.0.0.1', port: 0 };
const hasIPv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

const canLosePrivileges = process.getuid?.() === 0 && firstFreePort() > 80;

function firstFreePort(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  } catch {
    return 0;
  }
}

async function start(...listen: readonly ListenAddress[]): Promise<RunningServer> {
  const server = await serve({ registry: emptyRegistry(), listen });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

function urlOf(server: RunningServer, at = 0): string {
  const address = server.addresses[at];
  if (!address) throw new Error(`no address ${at}`);
  return `http://${formatListenAddress(address)}`;
}

describe('a server', () => {
  it('says which port it was given', async () => {
    const server = await start(LOOPBACK);
    expect(server.addresses).toEqual([{ host: '127.0.0.1', port: expect.any(Number) }]);
    expect((await ask(`${urlOf(server)}/v2/`, 'GET')).status).toBe(200);
  });

  it('listens on several addresses at once', async () => {
    const server = await start(LOOPBACK, LOOPBACK, { host: '127.0.0.2', port: 0 });
    expect(server.addresses).toHaveLength(3);
    for (const at of [0, 1, 2]) expect((await ask(`${urlOf(server, at)}/v2/`, 'GET')).status).toBe(200);
  });

  it.skipIf(!hasIPv6)('listens on IPv6 (skipped where there is none), beside IPv4 on the same port', async () => {
    const v4 = await start({ host: '0.0.0.0', port: 0 });
    const port = v4.addresses[0]?.port ?? 0;
    await v4[Symbol.asyncDispose]();
    const both = await start({ host: '0.0.0.0', port }, { host: '::', port });
    expect(both.addresses.map(({ host }) => host)).toEqual(['0.0.0.0', '::']);
    expect((await ask(`http://[::1]:${port}/v2/`, 'GET')).status).toBe(200);
    expect((await ask(`http://127.0.0.1:${port}/v2/`, 'GET')).status).toBe(200);
  });

  it('answers people at / with what it is, and probes at /healthz', async () => {
    const server = await start(LOOPBACK);
    const about = await ask(`${urlOf(server)}/`, 'GET');
    expect(about.text).toMatch(/registry.*\/v2\/.*\n$/);
    expect((await ask(`${urlOf(server)}/healthz`, 'GET')).text).toBe('ok\n');
  });
});

describe('an address that cannot be had', () => {
  it('because it is in use: the hint names the port; no other address stays bound', async () => {
    const taken = await start(LOOPBACK);
    const port = taken.addresses[0]?.port ?? 0;
    const free = createServer();
    free.listen(0, '127.0.0.1');
    await once(free, 'listening');
    const other = (free.address() as { port: number }).port;
    free.close();
    await once(free, 'close');
    const listen = [
      { host: '127.0.0.1', port: other },
      { host: '127.0.0.1', port },
    ];
    await expect(serve({ registry: emptyRegistry(), listen })).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
      message: expect.stringContaining(`127.0.0.1:${port}`),
      hint: expect.stringMatching(new RegExp(`port ${port}.*--listen`)),
    });
    const again = await start({ host: '127.0.0.1', port: other });
    expect(again.addresses).toEqual([{ host: '127.0.0.1', port: other }]);
  });

  it('because it is not of this machine is reported', async () => {
    const listen = [{ host: '192.0.2.1', port: 0 }];
    await expect(serve({ registry: emptyRegistry(), listen })).rejects.toMatchObject({ code: 'ADDRESS_UNAVAILABLE' });
  });

  it('because the name is unknown is reported', async () => {
    const listen = [{ host: 'no-such-host.invalid', port: 0 }];
    await expect(serve({ registry: emptyRegistry(), listen })).rejects.toMatchObject({ code: 'ADDRESS_UNAVAILABLE' });
  });

  it.skipIf(!canLosePrivileges)(
    'on a low port (skipped where not root, or where low ports are free for all)',
    async () => {
      const script = `
      process.setuid(65534);
      const { serve } = await import(${JSON.stringify(join(import.meta.dirname, 'listen.ts'))});
      await serve({ registry: {}, listen: [{ host: '127.0.0.1', port: 80 }] }).catch((error) => console.log(JSON.stringify(error)));`;
      const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script]);
      expect(JSON.parse(stdout)).toMatchObject({
        code: 'ADDRESS_NOT_PERMITTED',
        hint: expect.stringContaining('sudo sysctl net.ipv4.ip_unprivileged_port_start=80'),
      });
    },
  );
});

describe('stopping a server', () => {
  it('is done at once if no request runs, even with idle connections', async () => {
    const server = await start(LOOPBACK);
    const agent = new Agent({ keepAlive: true });
    const [response] = (await once(httpGet(`${urlOf(server)}/v2/`, { agent }), 'response')) as [IncomingMessage];
    await response.resume().toArray();
    await server[Symbol.asyncDispose]();
    await server.stopped;
    await expect(ask(`${urlOf(server)}/v2/`, 'GET')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    agent.destroy();
  });

  it('waits for a running request, then closes its connection', async () => {
    const { server, release } = await startGated();
    const agent = new Agent({ keepAlive: true });
    const request = httpGet(`${urlOf(server)}/v2/a/blobs/${GATED.descriptor.digest}`, { agent });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const stopping = server[Symbol.asyncDispose]();
    release();
    expect(Buffer.concat(await response.toArray())).toEqual(GATED.bytes);
    await stopping;
    agent.destroy();
  });

  it('does not wait longer than the grace period', async () => {
    const { server } = await startGated(50);
    const request = httpGet(`${urlOf(server)}/v2/a/blobs/${GATED.descriptor.digest}`);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await server[Symbol.asyncDispose]();
    await expect(response.toArray()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('can be made shorter while it waits', async () => {
    const { server } = await startGated();
    const request = httpGet(`${urlOf(server)}/v2/a/blobs/${GATED.descriptor.digest}`);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const stopping = server.stop(Number.POSITIVE_INFINITY);
    await server.stop(50);
    await stopping;
    await server.stopped;
    await expect(response.toArray()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('refuses new connections, and says to those that are answered that theirs ends', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const inner = emptyRegistry();
    await putBlob(inner, 'a', GATED);
    const registry = { ...inner, statBlob: () => released.then(() => undefined) };
    const server = await serve({ registry, listen: [LOOPBACK] });
    const agent = new Agent({ keepAlive: true });
    const answer = once(
      httpGet(`${urlOf(server)}/v2/a/blobs/${GATED.descriptor.digest}`, { agent, method: 'HEAD' }),
      'response',
    );
    while (server.activeRequests === 0) await new Promise(setImmediate);
    const stopping = server.stop(10_000);
    await expect(ask(`${urlOf(server)}/v2/`, 'GET')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    release();
    const [{ headers }] = (await answer) as [IncomingMessage];
    expect(headers.connection).toBe('close');
    await stopping;
    agent.destroy();
  });

  it('can be caused by a signal', async () => {
    const controller = new AbortController();
    const server = await serve({ registry: emptyRegistry(), listen: [LOOPBACK], signal: controller.signal });
    controller.abort();
    await server.stopped;
    const late = await serve({ registry: emptyRegistry(), listen: [LOOPBACK], signal: controller.signal });
    await late.stopped;
    const socket = connect(server.addresses[0]?.port ?? 0, '127.0.0.1');
    await expect(once(socket, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

const GATED = blob();

/** A server whose blob downloads stop in the middle until `release`. */
async function startGated(grace = 10_000): Promise<{ readonly server: RunningServer; readonly release: () => void }> {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const inner = emptyRegistry();
  await putBlob(inner, 'a', GATED);
  const registry = {
    ...inner,
    getBlob: async () => ({ descriptor: GATED.descriptor, body: halves(GATED.bytes, released) }),
  };
  const server = await serve({ registry, listen: [LOOPBACK], grace });
  onTestFinished(async () => {
    release();
    await server[Symbol.asyncDispose]();
  });
  return { server, release };
}

async function* halves(bytes: Uint8Array, between: Promise<void>): Bytes {
  yield bytes.subarray(0, bytes.length / 2);
  await between;
  yield bytes.subarray(bytes.length / 2);
}

it('a connection that cannot be accepted ends nothing', async () => {
  const listening = vi.spyOn(Server.prototype, 'listen');
  await using server = await serve({ registry: emptyRegistry(), listen: [{ host: '127.0.0.1', port: 0 }] });
  const own = listening.mock.contexts[0] as Server | undefined;
  listening.mockRestore();
  for (let attempt = 0; attempt < 3; attempt++) {
    own?.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
  }
  expect((await fetch(`http://127.0.0.1:${server.addresses[0]?.port}/v2/`)).status).toBe(200);
});
