// How long a client waits, and how often it asks. Time passes only when a test says so: a busy machine's own silence would count as the host's.
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createHttpPool, DEFAULT_TIMEOUTS, type HttpAnswer } from '../../io/http/http.ts';
import { readUpTo, readWhole } from '../../io/http/http-whole.ts';
import { tapped } from '../../io/streams/verify.ts';
import { registryClients } from './registry-clients.ts';
import { blob, digest, type FaultyRegistry, failure, faultyForEach, getBlob } from './testing/faulty-registry.ts';
import { type Fault, firstTimes, status } from './testing/faulty-server.ts';
import { clientsInStoppedTime, readBlobWhile } from './testing/stopped-time.ts';

const descriptor = { mediaType: '', digest, size: blob.length };
const open = async () => chunks();

async function* chunks() {
  yield blob;
}

/** Sends a few bytes at a time, without end. */
function trickle(every: number, head: Readonly<Record<string, string>> = {}, code = 200): Fault {
  return (_request, response) => {
    response.writeHead(code, head);
    const timer = setInterval(() => response.write('xxxxx'), every);
    response.on('close', () => clearInterval(timer));
    return true;
  };
}

let { server, registry, pauses } = {} as FaultyRegistry;
faultyForEach((faulty) => ({ server, registry, pauses } = faulty));

describe('a pause that a host asks for with Retry-After', () => {
  const busy = status(429, { 'retry-after': '1' });
  const taking: Fault = (request, response) => {
    if (request.method === 'HEAD') return status(404)(request, response);
    if (request.method === 'POST') return status(202, { location: '/upload/1' })(request, response);
    return status(201)(request, response);
  };

  it.each(['HEAD', 'POST', 'PUT'])('is kept at %s of an upload', async (method) => {
    let refused = false;
    server.inject((request, response) => {
      if (request.method !== method || refused) return taking(request, response);
      refused = true;
      return busy(request, response);
    });
    await registry.putBlob('app', descriptor, open);
    expect(pauses).toEqual([1000]);
  });

  it('is kept where a mount has begun the upload', async () => {
    let refused = false;
    server.inject((request, response) => {
      if (request.method === 'GET') return false;
      if (request.method !== 'PUT' || refused) return taking(request, response);
      refused = true;
      return busy(request, response);
    });
    expect(await registry.mountBlob('app', digest, 'other')).toBe(false);
    await registry.putBlob('app', descriptor, open);
    expect(pauses).toEqual([1000]);
  });

  it.each(['GET', 'DELETE'])('is kept at %s', async (method) => {
    server.inject(firstTimes(1, busy));
    if (method === 'GET') await getBlob(registry);
    else await registry.deleteBlob('app', digest);
    expect(pauses).toEqual([1000]);
  });

  it('may be a date, by the host’s own clock', async () => {
    const at = (seconds: number) => new Date(Date.UTC(2001, 1, 1, 0, 0, seconds)).toUTCString();
    server.inject(firstTimes(1, status(503, { date: at(0), 'retry-after': at(1) })));
    await registry.getManifest('app', 'latest');
    expect(pauses).toEqual([1000]);
  });

  it('does not allow more than four requests for one blob', async () => {
    server.inject((request, response) =>
      request.method === 'PUT' ? status(503)(request, response) : taking(request, response),
    );
    await failure(registry.putBlob('app', descriptor, open));
    expect(server.requests.filter(({ method }) => method === 'PUT')).toHaveLength(4);
    server.inject((request, response) =>
      request.method === 'POST' ? status(503)(request, response) : taking(request, response),
    );
    await failure(registry.putBlob('app', descriptor, open));
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(4);
  });
});

describe('a token server that wants fewer requests', () => {
  it.each([1, 5])('is asked four times in all, however many calls wait for the token (%i)', async (waiting) => {
    let asked = 0;
    server.inject((request, response) => {
      if (!request.url.startsWith('/token'))
        return status(401, { 'www-authenticate': `Bearer realm="http://${server.host}/token",service="x"` })(
          request,
          response,
        );
      asked += 1;
      return status(429, {}, '{"details":"Too Many Requests"}')(request, response);
    });
    const errors = await Promise.all(
      Array.from({ length: waiting }, () => failure(registry.getManifest('app', 'latest'))),
    );
    expect(errors.map(({ code }) => code)).toEqual(errors.map(() => 'TOOMANYREQUESTS'));
    expect(asked).toBe(4);
  });
});

describe('a body that never ends', () => {
  it('of an error does not hide its status, and is not read for ever', async () => {
    await using soon = clientsInStoppedTime({ text: 1000 });
    server.inject(trickle(10, { 'content-type': 'application/json' }, 404));
    const failing = failure(soon.forHost(server.host).getManifest('app', 'latest'));
    expect((await soon.passUntil(failing)).code).toBe('MANIFEST_UNKNOWN');
  });

  it('of a blob is given up if it is slower than any usable network', async () => {
    await using soon = clientsInStoppedTime({ idle: 1000 });
    server.inject(trickle(1, { 'content-length': `${blob.length}` }));
    const error = await failure(readBlobWhile(soon.forHost(server.host), () => soon.pass(300)));
    expect(error.code).toBe('TIMEOUT');
    expect(error.message).toContain('only');
    expect(server.requests.length).toBeLessThanOrEqual(3);
  });

  it('is bounded in bytes and in time if it is read as a whole', async () => {
    using pool = createHttpPool({
      timeouts: DEFAULT_TIMEOUTS,
      tunnelWithin: 1000,
      proxyFor: () => undefined,
      tlsFiles: async () => ({}),
    });
    const ask = (): Promise<HttpAnswer> =>
      pool.send({ method: 'GET', url: { secure: false, host: server.host, path: '/' } });
    server.inject(trickle(10));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const answer = await ask();
    const body = tapped(answer.body, () => setImmediate(() => vi.advanceTimersByTime(200)));
    const part = await readUpTo({ ...answer, body }, { bytes: 1000, within: 200 });
    vi.useRealTimers();
    expect(part.failure).toMatchObject({ code: 'TIMEOUT' });
    expect(Buffer.from(part.bytes).toString()).toMatch(/^x+$/);
    await expect(readWhole(await ask(), { bytes: 20, within: 10_000 })).rejects.toMatchObject({ code: 'BAD_ANSWER' });
    server.inject(status(200, {}, 'some words'));
    expect(Buffer.from(await readWhole(await ask(), { bytes: 10, within: 10_000 })).toString()).toBe('some words');
  });
});

describe('an answer’s head that never ends', () => {
  const flood = async (text: string) => {
    const sockets = new Set<Socket>();
    const raw = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.write('HTTP/1.1 200 OK\r\n'.slice(0, text.startsWith('HTTP') ? 0 : undefined));
      const timer = setInterval(() => socket.write(text), 1);
      socket.on('close', () => clearInterval(timer));
    });
    await new Promise<void>((ready) => raw.listen(0, '127.0.0.1', ready));
    await using clients = registryClients({
      temporaryDirectory: tmpdir(),
      timeouts: { headers: 3600_000 },
      backoff: { attempts: 2, base: 1, longest: 1 },
    });
    const host = `127.0.0.1:${(raw.address() as AddressInfo).port}`;
    const error = await failure(clients.forHost(host).getManifest('app', 'latest'));
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => raw.close(closed));
    return error;
  };

  it.each([
    ['of interim answers', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ['of header lines', `x-filler: ${'x'.repeat(1000)}\r\n`],
  ])('%s is BAD_ANSWER', async (_what, text) => {
    expect((await flood(text)).code).toBe('BAD_ANSWER');
  });
});

describe('an answer that was lost on its way', () => {
  it('to a DELETE counts as success if the next attempt finds nothing; a first attempt that finds nothing fails', async () => {
    server.inject((request, response) => {
      if (request.nth > 0) return status(404)(request, response);
      response.destroy();
      return true;
    });
    await registry.deleteManifest('app', digest);
    server.inject(status(404));
    expect((await failure(registry.deleteManifest('app', digest))).code).toBe('MANIFEST_UNKNOWN');
    server.inject((request, response) => status(request.nth > 0 ? 404 : 429)(request, response));
    expect((await failure(registry.deleteManifest('app', digest))).code).toBe('MANIFEST_UNKNOWN');
  });

  it('to an upload is not replaced by an answer that comes before its end', async () => {
    let there = false;
    const early = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (data) => {
        const [method = ''] = data.toString('latin1').split(' ');
        if (method === 'HEAD')
          return socket.end(
            `HTTP/1.1 ${there ? 200 : 404} X\r\ncontent-length: ${there ? blob.length : 0}\r\nconnection: close\r\n\r\n`,
          );
        const location = method === 'POST' ? 'location: /upload/1\r\n' : '';
        return socket.end(
          `HTTP/1.1 ${method === 'POST' ? 202 : 201} X\r\n${location}content-length: 0\r\nconnection: close\r\n\r\n`,
        );
      });
    });
    await new Promise<void>((ready) => early.listen(0, '127.0.0.1', ready));
    await using clients = registryClients({
      temporaryDirectory: tmpdir(),
      backoff: { attempts: 1, base: 1, longest: 1 },
    });
    const remote = clients.forHost(`127.0.0.1:${(early.address() as AddressInfo).port}`);
    /** The rest of the blob comes when the client has ended the upload. */
    const put = async (): Promise<void> => {
      const ended = Promise.withResolvers<void>();
      const inParts = async function* () {
        yield blob.subarray(0, 1000);
        await ended.promise;
        yield blob.subarray(1000);
      };
      await remote.putBlob('app', descriptor, async () => inParts()).finally(ended.resolve);
    };
    expect((await failure(put())).code).toBe('BAD_ANSWER');
    there = true;
    await put();
    await new Promise((closed) => early.close(closed));
  });
});

describe('a host that receives an upload', () => {
  it('slower than any usable network is given up', async () => {
    await using soon = clientsInStoppedTime({ idle: 1000, slowest: 1e9 });
    const sockets = new Set<Socket>();
    const slow = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('data', (data) => {
        const [method = ''] = data.toString('latin1').split(' ');
        if (method === 'HEAD') return socket.end('HTTP/1.1 404 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
        if (method === 'POST')
          return socket.end('HTTP/1.1 202 X\r\nlocation: /upload/1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
        // The client cannot write while this much time passes. No single wait is long: buffers take less than two hundred reads.
        const timer = setInterval(() => socket.read() && soon.pass(5), 1);
        socket.pause();
        return socket.on('close', () => clearInterval(timer));
      });
    });
    await new Promise<void>((ready) => slow.listen(0, '127.0.0.1', ready));
    const remote = soon.forHost(`127.0.0.1:${(slow.address() as AddressInfo).port}`);
    const piece = Buffer.alloc(100_000);
    const large = { mediaType: '', digest, size: 10_000 * piece.length };
    const endless = async () =>
      (async function* () {
        for (let nth = 0; nth < 10_000; nth += 1) yield piece;
      })();
    const error = await failure(remote.putBlob('app', large, endless));
    expect(error).toMatchObject({ code: 'TIMEOUT', message: expect.stringContaining('taken only') });
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => slow.close(closed));
  });
});
