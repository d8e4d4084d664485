import { tmpdir } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { registryClients } from './registry-clients.ts';
import {
  blob,
  collect,
  digest,
  type FaultyRegistry,
  failure,
  faultyForEach,
  getBlob,
  index,
} from './testing/faulty-registry.ts';
import { closeAfter, firstTimes, hang, sendRange, startFaultyServer } from './testing/faulty-server.ts';
import { clientsInStoppedTime, readBlobWhile } from './testing/stopped-time.ts';

async function* chunked(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

let { server, clients, registry, retries } = {} as FaultyRegistry;
faultyForEach((faulty) => ({ server, clients, registry, retries } = faulty));

describe('a connection that fails', () => {
  it('is given up with TIMEOUT, naming the host, when nothing ever comes', async () => {
    await using soon = clientsInStoppedTime({ headers: 1000 });
    server.inject(hang);
    const failing = failure(soon.forHost(server.host).getManifest('app', 'latest'));
    while (server.requests.length === 0) await setImmediate();
    soon.pass(1000);
    const error = await failing;
    expect(error.code).toBe('TIMEOUT');
    expect(error.message).toContain(server.host);
    expect(server.requests).toHaveLength(1);
  });

  it('is given up with TIMEOUT when a body stops coming and does so again and again', async () => {
    await using soon = clientsInStoppedTime({ idle: 1000 });
    server.inject((request, response) => {
      const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.setHeader('content-length', blob.length - from);
      response.setHeader('content-range', `bytes ${from}-${blob.length - 1}/${blob.length}`);
      response.writeHead(206);
      response.write(blob.subarray(from, from + 10));
      return true;
    });
    const error = await failure(readBlobWhile(soon.forHost(server.host), () => soon.pass(1000)));
    expect(error.code).toBe('TIMEOUT');
    expect(server.requests).toHaveLength(2);
  });

  it('is tried again when it was closed', async () => {
    server.inject(
      firstTimes(2, (_request, response) => {
        response.destroy();
        return true;
      }),
    );
    expect((await registry.getManifest('app', 'latest')).digest).toBe(digestOf(index));
  });

  it('is UNREACHABLE at once when it is refused', async () => {
    await server[Symbol.asyncDispose]();
    const error = await failure(registry.getManifest('app', 'latest'));
    expect(error.code).toBe('UNREACHABLE');
    expect(error.message).toContain(server.host);
    expect(retries).toEqual([]);
    server = await startFaultyServer();
  });

  it('is UNREACHABLE when the name is unknown', async () => {
    const error = await failure(clients.forHost('no-such-host.invalid').getManifest('app', 'latest'));
    expect(error.code).toBe('UNREACHABLE');
    expect(error.message).toContain('no-such-host.invalid');
  });

  it('ends with the signal’s reason, also while it waits', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    server.inject((_request, _response) => {
      controller.abort(reason);
      return true;
    });
    await expect(registry.getManifest('app', 'latest', { signal: controller.signal })).rejects.toBe(reason);
    await expect(registry.getManifest('app', 'latest', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('a connection', () => {
  it('is used again, whatever was answered on it', async () => {
    const ports = new Set<number | undefined>();
    server.inject((request, response) => {
      ports.add(response.socket?.remotePort);
      if (request.nth % 3 === 0) return false;
      response.writeHead(request.nth % 3 === 1 ? 404 : 200, { 'transfer-encoding': 'chunked' });
      response.end(request.method === 'HEAD' ? undefined : 'some words');
      return true;
    });
    for (let nth = 0; nth < 9; nth += 1) await registry.statBlob('app', digest).catch(() => {});
    for (let nth = 0; nth < 9; nth += 1) await registry.getManifest('app', 'latest').catch(() => {});
    expect(server.requests.length).toBeGreaterThanOrEqual(18);
    // Two connections at most: the client does not wait for the end of a response that it does not need, so one may still be busy.
    expect(ports.size).toBeLessThanOrEqual(2);
  });
});

describe('a download that breaks off', () => {
  it('is continued where it ended, as often as each attempt brings bytes', async () => {
    server.inject(closeAfter(100_000, blob));
    expect((await getBlob(registry)).equals(blob)).toBe(true);
    expect(server.requests.map((request) => request.headers.range)).toEqual([
      undefined,
      'bytes=100000-',
      'bytes=200000-',
      'bytes=300000-',
    ]);
    expect(retries.every((event) => event.host === server.host)).toBe(true);
  });

  it('is continued correctly if a reader began in the middle', async () => {
    server.inject(closeAfter(150_000, blob));
    expect((await getBlob(registry, 50_000)).equals(blob.subarray(50_000))).toBe(true);
    expect(server.requests[1]?.headers.range).toBe('bytes=200000-');
  });

  it('skips what it has where the host ignores Range', async () => {
    server.inject((request, response) => {
      if (request.nth === 0) return closeAfter(100_000, blob)(request, response);
      sendRange({ ...request, headers: {} }, response, blob);
      return true;
    });
    expect((await getBlob(registry)).equals(blob)).toBe(true);
  });

  it('is continued when the host that has ended is there again', async () => {
    const { port } = server;
    const answers = { contents: [blob] };
    let pauses = 0;
    await using patient = registryClients({
      temporaryDirectory: tmpdir(),
      backoff: {
        attempts: 4,
        base: 2,
        longest: 2000,
        sleep: async () => {
          pauses += 1;
          if (pauses === 1) await server[Symbol.asyncDispose]();
          if (pauses === 3) server = await startFaultyServer({ ...answers, port });
        },
      },
    });
    server.inject(closeAfter(100_000, blob));
    expect((await getBlob(patient.forHost(server.host))).equals(blob)).toBe(true);
    expect(server.requests.map((request) => request.headers.range)).toEqual(['bytes=100000-']);
    expect(pauses).toBe(3);
  });

  it('is UNREACHABLE when the host that has ended does not come back', async () => {
    server.inject((request, response) => {
      const isBroken = closeAfter(100_000, blob)(request, response);
      response.once('close', () => void server[Symbol.asyncDispose]());
      return isBroken;
    });
    expect((await failure(getBlob(registry))).code).toBe('UNREACHABLE');
    // One of the first break, and of each refusal but the last.
    expect(retries).toHaveLength(3);
    server = await startFaultyServer();
  });

  it('is given up with BROKEN_OFF when attempts bring no bytes', async () => {
    server.inject(closeAfter(100, blob));
    const error = await failure(getBlob(registry));
    expect(error.code).toBe('BROKEN_OFF');
    expect(error.message).toContain(server.host);
    expect(server.requests).toHaveLength(4);
  });

  it('is continued even if the host never says its length, for a reader that knows it', async () => {
    server.inject((request, response) => {
      response.writeHead(200, { connection: 'close' });
      response.end(blob.subarray(0, request.nth === 0 ? 100_000 : blob.length));
      return true;
    });
    const { descriptor, body } = await registry.getBlob('app', digest, { size: blob.length });
    expect(descriptor.size).toBe(blob.length);
    expect((await collect(body)).equals(blob)).toBe(true);
    expect(server.requests.map((request) => request.method)).toEqual(['GET', 'GET']);
  });

  it('closes its connection when its reader leaves', async () => {
    const { body } = await registry.getBlob('app', digest);
    for await (const _chunk of body) break;
    expect((await getBlob(registry)).equals(blob)).toBe(true);
  });
});

describe('a blob that is not what was asked for', () => {
  it('ends in DIGEST_INVALID before its reader has all of it', async () => {
    server.inject((request, response) => {
      sendRange(request, response, Buffer.alloc(blob.length));
      return true;
    });
    const error = await failure(getBlob(registry));
    expect(error.code).toBe('DIGEST_INVALID');
    expect(error.message).toContain(server.host);
  });

  it('ends in an error when it is shorter than it should be', async () => {
    server.inject((request, response) => {
      sendRange(request, response, blob.subarray(0, 1000));
      return true;
    });
    expect((await failure(getBlob(registry))).code).toBe('DIGEST_INVALID');
  });
});

describe('a mount that fails', () => {
  const descriptor = { mediaType: 'application/octet-stream', digest, size: blob.length };
  const content = async () => chunked(blob);

  it.each([401, 403, 404, 405, 429, 500])('with %i is tried once, then the blob is pushed', async (status) => {
    server.inject((_request, response) => {
      response.writeHead(status).end('{}');
      return true;
    });
    expect(await registry.mountBlob('app', digest, 'other')).toBe(false);
    expect(server.requests).toHaveLength(1);
    expect(retries).toEqual([]);
  });

  it('by a closed connection is followed by a push, too', async () => {
    server.inject((_request, response) => {
      response.destroy();
      return true;
    });
    expect(await registry.mountBlob('app', digest, 'other')).toBe(false);
    expect(retries).toEqual([]);
  });

  it('because nobody answers is followed by a push, which fails the same way', async () => {
    await server[Symbol.asyncDispose]();
    expect(await registry.mountBlob('app', digest, 'other')).toBe(false);
    const pushing = registry.putBlob('app', descriptor, content);
    expect((await failure(pushing)).code).toBe('UNREACHABLE');
  });

  it('because the registry began an upload instead is completed by that upload', async () => {
    server.inject(({ method, url, nth }, response) => {
      if (method === 'GET') sendRange({ method, url, nth, headers: {}, body: '' }, response, blob);
      else if (method === 'HEAD') response.writeHead(404).end();
      else if (method === 'POST') response.writeHead(202, { location: '/v2/app/blobs/uploads/1' }).end();
      else response.writeHead(201).end();
      return true;
    });
    expect(await registry.mountBlob('app', digest, 'other')).toBe(false);
    await registry.putBlob('app', descriptor, content);
    expect(server.requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'HEAD', 'PUT']);
    await registry.putBlob('app', descriptor, content);
    expect(server.requests.slice(4).map(({ method }) => method)).toEqual(['HEAD', 'POST', 'PUT']);
  });

  it.each([400, 403, 404, 416])(
    'is harmless if that upload takes no bytes (%i): another one is begun',
    async (code) => {
      server.inject((request, response) => {
        const { method, nth } = request;
        if (method === 'GET') sendRange(request, response, blob);
        else if (method === 'POST') response.writeHead(202, { location: `/v2/app/blobs/uploads/${nth}` }).end();
        else if (method === 'PUT' && !request.url.includes('/uploads/1?')) response.writeHead(201).end();
        else response.writeHead(method === 'HEAD' ? 404 : code).end();
        return true;
      });
      expect(await registry.mountBlob('app', digest, 'other')).toBe(false);
      await registry.putBlob('app', descriptor, content);
      const put = server.requests.filter(({ method }) => method === 'PUT');
      expect(put.map(({ url }) => url)).toEqual([
        `/v2/app/blobs/uploads/1?digest=${digest}`,
        expect.stringMatching(/uploads\/[2-9]\?/),
      ]);
    },
  );

  it('is not tried if its source cannot be read', async () => {
    server.inject((_request, response) => {
      response.destroy();
      return true;
    });
    expect(await registry.mountBlob('app', digest, 'other')).toBe(false);
    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([`GET /v2/other/blobs/${digest}`]);
    expect(retries).toEqual([]);
  });

  it('because the registry hangs is not tried again after a few times', async () => {
    // The time for a mount is over as soon as the registry has the request, however long a busy machine takes to send it.
    let late = new AbortController();
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
      late = new AbortController();
      return late.signal;
    });
    onTestFinished(() => timeout.mockRestore());
    server.inject(() => {
      late.abort();
      return true;
    });
    for (let time = 0; time < 5; time++) expect(await registry.mountBlob('app', digest, 'other')).toBe(false);
    expect(server.requests).toHaveLength(3);
  });
});
