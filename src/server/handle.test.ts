// The effects of one connection on the server, and the events that report them.
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../test/testing/eventually.ts';
import { rounds, timeFor } from '../../test/testing/soak.ts';
import type { Bytes } from '../io/streams/bytes.ts';
import { ImagesError } from '../oci/errors.ts';
import type { Registry } from '../registry/contract.ts';
import type { ServerLimits } from './limits.ts';
import { ask } from './testing/ask.ts';
import { blob, emptyRegistry, image, putImage } from './testing/content.ts';
import { startServer, type TestServer } from './testing/start.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;

async function start(registry: Registry = emptyRegistry(), limits: Partial<ServerLimits> = {}): Promise<TestServer> {
  const server = await startServer(registry, limits);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** Sends raw bytes, and returns everything that the server sends until it closes the connection. */
async function raw(server: TestServer, ...pieces: readonly string[]): Promise<string> {
  const socket = connect(Number(server.host.split(':')[1]), '127.0.0.1');
  for (const piece of pieces) socket.write(piece);
  socket.on('error', () => undefined);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(chunks).toString();
}

describe('the event of a request', () => {
  it('has request, status, bytes and duration', async () => {
    const registry = emptyRegistry();
    const { manifest } = await putImage(registry, 'a', 'v1');
    const server = await start(registry);
    const answer = await ask(`${server.url}/v2/a/manifests/v1`, 'GET');
    const headers = { 'User-Agent': 'probe/1\t(x)', 'X-Request-ID': 'mine' };
    await ask(`${server.url}/v2/a/manifests/none?ns=x`, 'GET', { headers });
    await eventually(() => server.events.length === 2);
    expect(server.events[0]).toEqual({
      type: 'request',
      id: answer.headers['x-request-id'],
      kind: 'manifest-get',
      repository: 'a',
      reference: 'v1',
      digest: manifest.digest,
      method: 'GET',
      url: '/v2/a/manifests/v1',
      status: 200,
      sent: manifest.size,
      received: 0,
      duration: expect.any(Number),
      remote: '127.0.0.1',
    });
    expect(server.events[1]).toMatchObject({ url: '/v2/a/manifests/none?ns=x', status: 404, code: 'MANIFEST_UNKNOWN' });
    expect(server.events[1]).toMatchObject({ id: 'mine', userAgent: 'probe/1 (x)', host: 'x', reference: 'none' });
  });

  it.each([
    ['/v2/', 'GET', { kind: 'ping' }],
    ['/v2/A/manifests/1', 'GET', { kind: 'other' }],
    ['/nothing', 'GET', { kind: 'not-found' }],
    ['/v2/a/manifests/1', 'DELETE', { kind: 'tag-delete', repository: 'a', reference: '1' }],
    [`/v2/a/blobs/${DIGEST}`, 'HEAD', { kind: 'blob-get', repository: 'a', reference: DIGEST }],
    ['/v2/a/tags/list', 'GET', { kind: 'tag-list', repository: 'a' }],
    ['/v2/a/manifests/1', 'PUT', { kind: 'manifest-put', repository: 'a', reference: '1' }],
    [`/v2/a/manifests/${DIGEST}`, 'PUT', { kind: 'manifest-put', repository: 'a', reference: DIGEST }],
    ['/metrics', 'GET', { kind: 'metrics' }],
  ] as const)('tells of %s what it is about', async (path, method, about) => {
    const server = await start();
    await ask(`${server.url}${path}`, method);
    await eventually(() => server.events.length === 1);
    expect(server.events[0]).toMatchObject(about);
  });

  it('counts what an upload brought', async () => {
    const server = await start();
    const { descriptor, bytes } = blob();
    await ask(`${server.url}/v2/a/blobs/uploads/?digest=${descriptor.digest}`, 'POST', { body: bytes });
    await eventually(() => server.events.length === 1);
    expect(server.events[0]).toMatchObject({ status: 201, received: bytes.length });
  });
});

describe('errors', () => {
  async function answerTo(error: unknown) {
    const server = await start({ ...emptyRegistry(), statBlob: () => Promise.reject(error) });
    const answer = await ask(`${server.url}/v2/a/blobs/${DIGEST}`, 'GET', { headers: { Range: 'bytes=0-1' } });
    return { answer, server };
  }

  it.each([
    ['DENIED', 403],
    ['TOOMANYREQUESTS', 429],
    ['NAME_UNKNOWN', 404],
    ['UNSUPPORTED', 405],
  ] as const)('%s is a %d with its message and hint', async (code, status) => {
    const { answer, server } = await answerTo(new ImagesError(code, 'what is wrong', { hint: 'Mend it.' }));
    expect(answer.status).toBe(status);
    expect(answer.json()).toEqual({ errors: [{ code, message: 'what is wrong', detail: { hint: 'Mend it.' } }] });
    expect(server.events.filter(({ type }) => type === 'failure')).toEqual([]);
  });

  it.each([
    ['NO_SPACE', 507, 'NO_SPACE'],
    ['READ_ONLY', 405, 'UNSUPPORTED'],
    ['NO_ACCESS', 503, 'UNAVAILABLE'],
    ['ABORTED', 503, 'UNAVAILABLE'],
    ['UNREACHABLE', 502, 'UNAVAILABLE'],
    ['TIMEOUT', 504, 'UNAVAILABLE'],
  ] as const)('%s is a %d that names no files, and the operator is told', async (code, status, wire) => {
    const error = new ImagesError(code, 'trouble in /var/lib/secret', { hint: 'Look into /var/lib/secret.' });
    const { answer, server } = await answerTo(error);
    expect(answer.status).toBe(status);
    expect(answer.json()).toEqual({ errors: [{ code: wire, message: expect.not.stringContaining('secret') }] });
    if (status === 405) expect(answer.headers.allow).toBe('GET, HEAD');
    expect(server.events).toContainEqual(expect.objectContaining({ type: 'failure', error }));
  });

  it('of ours are a 500 that keeps its secrets, and are told to the operator', async () => {
    const bug = new TypeError('secret /path');
    const { answer, server } = await answerTo(bug);
    expect(answer.status).toBe(500);
    expect(answer.json()).toEqual({ errors: [{ code: 'UNKNOWN', message: 'unknown error' }] });
    expect(server.events).toContainEqual(expect.objectContaining({ type: 'failure', method: 'GET', error: bug }));
  });

  it.each([
    ['PATCH', '/v2/a/tags/list', 405, 'UNSUPPORTED'],
    ['GET', '/v2/nothing', 404, 'UNSUPPORTED'],
    ['GET', '/v2/%ff/tags/list', 400, 'NAME_INVALID'],
  ])('%s %s', async (method, path, status, code) => {
    const answer = await ask(`${(await start()).url}${path}`, method);
    expect(answer.status).toBe(status);
    expect(answer.json()).toMatchObject({ errors: [{ code }] });
    expect(answer.headers.allow).toBe(status === 405 ? 'GET, HEAD' : undefined);
  });
});

describe('a page of another web site', () => {
  const page = { Origin: 'http://attacker.example', 'Sec-Fetch-Site': 'cross-site', 'Content-Type': 'text/plain' };

  it('may neither read nor write', async () => {
    const registry = emptyRegistry();
    const { manifest } = await putImage(registry, 'a', 'v1');
    const server = await start(registry);
    const { descriptor, bytes } = blob();
    for (const [method, path] of [
      ['GET', '/v2/_catalog'],
      ['OPTIONS', '/v2/'],
      ['POST', '/v2/a/blobs/uploads/'],
      ['POST', `/v2/a/blobs/uploads/?digest=${descriptor.digest}`],
      ['PUT', '/v2/a/manifests/v2'],
      ['DELETE', '/v2/a/manifests/v1'],
    ] as const) {
      const answer = await ask(`${server.url}${path}`, method, { headers: page, body: bytes });
      expect(answer.status, path).toBe(403);
      expect(answer.json()).toMatchObject({ errors: [{ code: 'DENIED' }] });
    }
    expect(await registry.statBlob('a', descriptor.digest)).toBeUndefined();
    expect(await registry.statManifest('a', 'v1')).toMatchObject({ digest: manifest.digest });
    expect(server.events.filter(({ type }) => type === 'failure')).toEqual([]);
  });

  it('is any page under a host name that was not given to the server', async () => {
    const server = await startServer(emptyRegistry(), {}, { names: ['registry.lan'] });
    onTestFinished(() => server[Symbol.asyncDispose]());
    const from = (name: string) => ({
      headers: { Host: name, Origin: `http://${name}`, 'Sec-Fetch-Site': 'same-origin' },
    });
    expect((await ask(`${server.url}/v2/`, 'GET', from('registry.lan'))).status).toBe(200);
    expect((await ask(`${server.url}/v2/`, 'GET', from('attacker.example'))).status).toBe(403);
  });
});

describe('a refused body', () => {
  const length = 64 * 1024 * 1024;

  it('is not waited for', async () => {
    const server = await start();
    const message = request(`${server.url}/v2/a/manifests/v1`, {
      method: 'PUT',
      headers: { 'Content-Length': length },
    });
    message.on('error', () => undefined);
    message.write('{');
    const [response] = (await once(message, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(413);
    message.destroy();
  });

  it('is read off a connection that is then used again', async () => {
    const server = await start();
    const body = 'x'.repeat(100_000);
    const refused = `PUT /v2/A/manifests/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const answers = await raw(server, refused, 'GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400', 'HTTP/1.1 200']);
  });

  it('is not even asked for where the client waits to be', async () => {
    const server = await start();
    const head = `Host: x\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`;
    const answer = await raw(server, `PUT /v2/A/manifests/v1 HTTP/1.1\r\n${head}`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toMatch(/^connection: close\r$/im);
  });

  it('is asked for where it is wanted', async () => {
    const server = await start();
    const { descriptor, bytes } = blob();
    const answer = await ask(`${server.url}/v2/a/blobs/uploads/?digest=${descriptor.digest}`, 'POST', {
      body: bytes,
      headers: { Expect: '100-continue' },
    });
    expect(answer.status).toBe(201);
  });
});

describe('a connection', () => {
  it('that falls silent in an upload is ended, and what came is kept', async () => {
    const server = await start(emptyRegistry(), { idle: 50 });
    const { headers } = await ask(`${server.url}/v2/a/blobs/uploads/`, 'POST');
    const location = `${server.url}${headers.location}`;
    const message = request(location, { method: 'PATCH', headers: { 'Content-Length': 1000 } });
    message.write(Buffer.alloc(600));
    await expect(once(message, 'response')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect((await ask(location, 'GET')).headers.range).toBe('0-599');
    expect(server.events.filter(({ type }) => type === 'failure')).toEqual([]);
  });

  it('is not ended for the time that the server takes itself', async () => {
    const inner = emptyRegistry();
    const slow = {
      ...inner,
      putManifest: async (...args: Parameters<Registry['putManifest']>) => {
        await new Promise((resolve) => setTimeout(resolve, 200));
        await inner.putManifest(...args);
      },
    };
    const server = await start(slow, { idle: 50 });
    const content = await putImage(inner, 'a', 'other', image());
    const answer = await ask(`${server.url}/v2/a/manifests/v1`, 'PUT', {
      body: content.manifest.bytes,
      headers: { 'Content-Type': content.manifest.mediaType },
    });
    expect(answer.status).toBe(201);
  });

  it('that is cut in a download ends the reading, and the event says how far it came', async () => {
    const state = { chunks: 0, isClosed: false };
    const server = await start(endless(state));
    const message = download(server);
    const [response] = (await once(message, 'response')) as [IncomingMessage];
    await once(response, 'data');
    message.destroy();
    await eventually(() => state.isClosed && server.events.length > 0);
    const [event] = server.events;
    expect(event).toMatchObject({ type: 'request', status: 200 });
    expect(event?.type === 'request' && event.sent).toBeGreaterThan(0);
  });

  it('that does not read makes the reading wait, and is given up', async () => {
    const state = { chunks: 0, isClosed: false };
    const server = await start(endless(state), { idle: 300 });
    const message = download(server);
    const [response] = (await once(message, 'response')) as [IncomingMessage];
    response.pause();
    await eventually(() => state.isClosed);
    // As many chunks as the kernel's socket buffers hold. Without back-pressure there would be far more.
    expect(state.chunks).toBeLessThan(500);
    response.destroy();
  });

  it('gets fewer bytes than announced only by being cut', async () => {
    const { descriptor, bytes } = blob();
    const short = {
      descriptor,
      body: (async function* (): Bytes {
        yield bytes.subarray(1);
      })(),
    };
    const server = await start({ ...emptyRegistry(), getBlob: async () => short });
    await expect(ask(`${server.url}/v2/a/blobs/${DIGEST}`, 'GET')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(server.events).toContainEqual(expect.objectContaining({ type: 'failure' }));
  });
});

it.each([
  ['no HTTP', 'hello\r\n\r\n', 400],
  ['no Host', 'GET /v2/ HTTP/1.1\r\n\r\n', 400],
  ['endless headers', `GET /v2/ HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`, 431],
  ['two lengths', 'PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx', 400],
  [
    'a length and chunks',
    'PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
])('%s is refused', async (_, text, status) => {
  expect(await raw(await start(), text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
});

it('no sequence of requests makes the server answer with an error of its own', {
  timeout: timeFor(60_000),
}, async () => {
  const registry = emptyRegistry();
  const { manifest, blobs } = await putImage(registry, 'a', 'v1');
  const server = await start(registry);
  const digest = fc.constantFrom(
    DIGEST,
    manifest.digest,
    ...blobs.map(({ descriptor }) => descriptor.digest),
    'sha256:x',
    '',
  );
  const reference = fc.oneof(
    digest,
    fc.constantFrom('v1', '.', 'x'.repeat(200), 'list', 'uploads', 'uploads/', 'uploads/1'),
  );
  const path = fc
    .tuple(
      fc.constantFrom('a', 'a/b', 'A', '', '..'),
      fc.constantFrom('blobs', 'manifests', 'tags', 'referrers'),
      reference,
    )
    .map((parts) => parts.join('/'));
  const value = fc.oneof(digest, fc.constantFrom('-1', '1', 'a', '%00', '%ff'));
  const query = fc.dictionary(
    fc.constantFrom('n', 'last', 'digest', 'mount', 'from', 'tag', 'ns', 'artifactType'),
    value,
  );
  const header = fc.constantFrom(
    '0-0',
    '0-9',
    'bytes=0-',
    'bytes=9-1',
    '"x"',
    '*',
    'application/json',
    manifest.mediaType,
    '\u00ff',
  );
  const headers = fc.dictionary(
    fc.constantFrom('Range', 'Content-Range', 'If-None-Match', 'If-Range', 'Content-Type', 'Accept'),
    header,
  );
  const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE');
  const body = fc.option(fc.oneof(fc.constant(manifest.bytes), fc.uint8Array(), fc.json()), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(method, path, query, headers, body, async (verb, where, parameters, fields, content) => {
      const text = Object.entries(parameters).map(([name, given]) => `${name}=${given}`);
      const url = `${server.url}/v2/${where}?${text.join('&')}`;
      const answer = await ask(url, verb, { headers: fields, ...(content !== undefined && { body: content }) });
      expect(answer.status).toBeLessThan(500);
      if (answer.status >= 400 && verb !== 'HEAD') expect(answer.json()).toHaveProperty('errors.0.code');
    }),
    { numRuns: rounds(100) },
  );
  expect(server.events.filter(({ type }) => type === 'failure')).toEqual([]);
});

const CHUNK = Buffer.alloc(256 * 1024);

function endless(state: { chunks: number; isClosed: boolean }): Registry {
  const size = 2 ** 40;
  return {
    ...emptyRegistry(),
    getBlob: async () => ({
      descriptor: { mediaType: 'application/octet-stream', digest: `sha256:${'0'.repeat(64)}`, size },
      body: (async function* (): Bytes {
        try {
          for (;;) {
            state.chunks += 1;
            yield CHUNK;
          }
        } finally {
          state.isClosed = true;
        }
      })(),
    }),
  };
}

function download(server: TestServer): ClientRequest {
  const message = request(`${server.url}/v2/a/blobs/${DIGEST}`, { agent: false });
  message.on('error', () => undefined);
  return message.end();
}
