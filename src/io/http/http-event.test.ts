import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createHttpPool, DEFAULT_TIMEOUTS, type HttpPool } from './http.ts';
import type { HttpEvent } from './http-event.ts';
import { parseHttpUrl } from './http-url.ts';

const BODY = Buffer.alloc(100_000, 'x');

const server = createServer((request, response) => {
  request.resume();
  if (request.url?.startsWith('/cut')) {
    response.writeHead(200, { 'content-length': BODY.length });
    response.write(BODY.subarray(0, 10), () => response.destroy());
    return;
  }
  if (request.url?.startsWith('/short')) {
    response.writeHead(401).end('forbidden');
    return;
  }
  request.on('end', () => response.writeHead(200, { 'content-length': BODY.length }).end(BODY));
});
let events: HttpEvent[];
let pool: HttpPool;
let base: string;

beforeEach(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  events = [];
  pool = createHttpPool({
    timeouts: DEFAULT_TIMEOUTS,
    tunnelWithin: 1000,
    proxyFor: () => undefined,
    tlsFiles: async () => ({}),
    onEvent: (event) => events.push(event),
  });
});
afterEach(async () => {
  pool[Symbol.dispose]();
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

const url = (path: string) => parseHttpUrl(`${base}${path}`);

describe('the event of a request and its answer', () => {
  it('comes once, when the body was read, and has no query', async () => {
    const { body } = await pool.send({ method: 'GET', url: url('/a?token=secret') });
    expect(events).toEqual([]);
    expect(Buffer.concat(await Array.fromAsync(body))).toEqual(BODY);
    expect(events).toEqual([
      {
        method: 'GET',
        url: `${base}/a`,
        status: 200,
        sent: 0,
        received: BODY.length,
        duration: expect.any(Number),
      },
    ]);
  });

  it('comes when the body is left unread, or discarded because it is long, and at once if there is none', async () => {
    await (await pool.send({ method: 'GET', url: url('/left') })).body[Symbol.asyncIterator]().return?.();
    await pool.send({ method: 'HEAD', url: url('/head') });
    (await pool.send({ method: 'GET', url: url('/discarded') })).discard();
    await vi.waitFor(() => expect(events).toHaveLength(3), { timeout: 60_000, interval: 10 });
    expect(events.map((event) => [event.url.slice(base.length), event.received])).toEqual([
      ['/left', 0],
      ['/head', 0],
      ['/discarded', 0],
    ]);
  });

  it('counts the short body of a discarded answer, which is read to keep the connection', async () => {
    (await pool.send({ method: 'GET', url: url('/short') })).discard();
    await vi.waitFor(() => expect(events).toMatchObject([{ status: 401, received: 9 }]), {
      timeout: 60_000,
      interval: 10,
    });
  });

  it('counts the bytes that were sent, of buffers and of streams', async () => {
    async function* stream() {
      yield BODY.subarray(0, 10);
      yield BODY.subarray(0, 20);
    }
    for (const body of [BODY, stream()]) (await pool.send({ method: 'PUT', url: url('/'), body })).discard();
    await vi.waitFor(() => expect(events).toHaveLength(2), { timeout: 60_000, interval: 10 });
    expect(events.map(({ sent }) => sent)).toEqual([BODY.length, 30]);
  });

  it('has the error if no answer comes, or if the body breaks off', async () => {
    await expect(pool.send({ method: 'GET', url: parseHttpUrl('http://127.0.0.1:1/x') })).rejects.toThrow();
    const { body } = await pool.send({ method: 'GET', url: url('/cut') });
    await expect(Array.fromAsync(body)).rejects.toThrow();
    expect(events).toMatchObject([
      { url: 'http://127.0.0.1:1/x', error: { code: 'UNREACHABLE' } },
      { status: 200, received: 10, error: { code: 'BROKEN_OFF' } },
    ]);
    expect(events[0]).not.toHaveProperty('status');
  });
});
