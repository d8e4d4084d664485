// HTTPS with HTTP/2 and HTTP/1.1: the same answers as over HTTP, and the same limits.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { get as httpGet } from 'node:http';
import { constants } from 'node:http2';
import { Agent, request as httpsRequest } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { serve } from './listen.ts';
import { blob, emptyRegistry, putBlob, putImage } from './testing/content.ts';
import { askHttp2, type SecureServer, startSecure } from './testing/secure.ts';

const run = promisify(execFile);

/** Waits until the check no longer throws. */
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 60_000, interval: 10 });

/** A push whose body is read. */
const MANIFEST = {
  ':method': 'PUT',
  ':path': '/v2/a/manifests/1',
  'content-type': 'application/vnd.oci.image.manifest.v1+json',
};
const { NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants;

async function tlsTo({ port, ca }: SecureServer, options: object = {}): Promise<TLSSocket> {
  const socket = connectTls({ port, host: '127.0.0.1', ca, ALPNProtocols: ['http/1.1'], ...options });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/** Unlike `once`, it does not fail with an error that comes before. */
function closed(what: NodeJS.EventEmitter | undefined): Promise<unknown> {
  return new Promise((resolve) => what?.once('close', resolve));
}

/** A frame of stream 1, as Node's client does not send it (RFC 9113, section 4.1). */
function frame(type: number, flags: number, payload: Buffer, stream = 1): Buffer {
  return Buffer.concat([Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, stream]), payload]);
}

/** Literals without an index (RFC 7541, section 6.2.2). */
function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  const text = (value: string) =>
    Buffer.concat([Buffer.from(value.length < 127 ? [value.length] : [127, value.length - 127]), Buffer.from(value)]);
  return Buffer.concat(Object.entries(headers).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

function requests({ events }: SecureServer) {
  return events.filter((event) => event.type === 'request');
}

describe('HTTPS', () => {
  it('serves HTTP/1.1 and HTTP/2 to curl, which trusts the CA', async () => {
    const content = blob(Buffer.alloc(300_000, 'x'));
    const registry = emptyRegistry();
    await putBlob(registry, 'a', content);
    const server = await startSecure(registry);
    const path = `${server.url}/v2/a/blobs/${content.descriptor.digest}`;
    for (const [version, expected] of [
      ['--http1.1', '1.1'],
      ['--http2', '2'],
    ] as const) {
      const { stdout } = await run('curl', [
        '-sS',
        '--cacert',
        server.caFile,
        version,
        '-o',
        '/dev/null',
        '-w',
        '%{http_version} %{http_code} %{size_download}',
        path,
      ]);
      expect(stdout).toBe(`${expected} 200 300000`);
      const head = await run('curl', ['-sS', '--cacert', server.caFile, version, '-I', path]);
      expect(head.stdout).toMatch(/content-length: 300000/i);
    }
    const [first, , third] = requests(server);
    expect(first).toMatchObject({ status: 200, sent: 300_000, remote: '127.0.0.1' });
    expect(third).toMatchObject({ method: 'GET', url: `/v2/a/blobs/${content.descriptor.digest}`, sent: 300_000 });
  });

  it('has a certificate for the name that a client asks for, and the default one for others', async () => {
    const server = await startSecure();
    const nameOf = async (servername?: string) =>
      (
        await tlsTo(server, { ...(servername && { servername }), checkServerIdentity: () => undefined })
      ).getPeerCertificate().subjectaltname;
    expect(await nameOf('registry.lan')).toBe('DNS:registry.lan');
    expect(await nameOf()).toBe('DNS:localhost, IP Address:127.0.0.1');
    expect(await nameOf('a_b.lan')).toBe('DNS:localhost, IP Address:127.0.0.1');
  });

  it('beside HTTP on other addresses; without a certificate it is refused', async () => {
    const { contexts, ca } = await startSecure();
    const host = '127.0.0.1';
    const listen = [
      { host, port: 0 },
      { host, port: 0, tls: true },
    ];
    await using both = await serve({ registry: emptyRegistry(), listen, tls: contexts });
    expect(both.addresses.map(({ tls }) => tls)).toEqual([undefined, true]);
    const [plain, secure] = both.addresses;
    const [answer] = await once(httpGet({ host, port: plain?.port, path: '/v2/', agent: false }), 'response');
    expect(answer.resume().statusCode).toBe(200);
    const asked = httpsRequest({ host, port: secure?.port, path: '/v2/', ca, agent: false }).end();
    expect((await once(asked, 'response'))[0].resume().statusCode).toBe(200);
    await expect(serve({ registry: emptyRegistry(), listen })).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('takes a new certificate for new connections', async () => {
    const server = await startSecure();
    const other = await startSecure();
    const before = (await tlsTo(server)).getPeerCertificate().fingerprint256;
    const listeners: ((next: { key: string; certificate: string }) => void)[] = [];
    const contexts = {
      ...server.contexts,
      onChange: (listener: (typeof listeners)[number]) => void listeners.push(listener),
    };
    const listen = [{ host: '127.0.0.1', port: 0, tls: true }];
    await using changing = await serve({ registry: emptyRegistry(), listen, tls: contexts });
    const port = changing.addresses[0]?.port;
    expect((await tlsTo(server, { port })).getPeerCertificate().fingerprint256).toBe(before);
    for (const listener of listeners) listener(other.contexts.current());
    const after = (await tlsTo(other, { port })).getPeerCertificate().fingerprint256;
    expect(after).not.toBe(before);
  });

  it('tells a client that speaks plain HTTP', async () => {
    const server = await startSecure();
    const socket = connectPlain(server.port, '127.0.0.1');
    socket.write('GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await closed(socket);
    expect(Buffer.concat(chunks).toString()).toMatch(
      /^HTTP\/1\.0 400 Bad Request\r\n(?:.*\r\n)+Client sent an HTTP request to an HTTPS server/,
    );
  });

  it('speaks TLS 1.2 and 1.3, nothing older', async () => {
    const server = await startSecure();
    expect((await tlsTo(server, { maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2');
    expect((await tlsTo(server)).getProtocol()).toBe('TLSv1.3');
    const old = connectTls({ port: server.port, ca: server.ca, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
    await expect(once(old, 'secureConnect')).rejects.toThrow();
  });
});

describe('on HTTP/2', () => {
  it('an image is pushed and pulled, with its events', async () => {
    const server = await startSecure();
    const session = server.connect();
    const content = blob(Buffer.alloc(700_000, 'y'));
    const { digest } = content.descriptor;
    const begun = await askHttp2(session, { ':method': 'POST', ':path': '/v2/a/blobs/uploads/', 'content-length': 0 });
    expect(begun.status).toBe(202);
    const place = String(begun.headers.location);
    // Without a length, as a stream.
    expect((await askHttp2(session, { ':method': 'PATCH', ':path': place }, content.bytes)).status).toBe(202);
    const done = await askHttp2(session, { ':method': 'PUT', ':path': `${place}?digest=${digest}` });
    expect(done.status).toBe(201);
    const got = await askHttp2(session, { ':path': `/v2/a/blobs/${digest}` });
    expect(got.body.equals(content.bytes)).toBe(true);
    expect(got.headers['docker-content-digest']).toBe(digest);
    expect(
      (await askHttp2(session, { ':method': 'HEAD', ':path': `/v2/a/blobs/${digest}` })).headers['content-length'],
    ).toBe('700000');
    expect(requests(server).map(({ method, received, sent }) => [method, received, sent])).toEqual([
      ['POST', 0, 0],
      ['PATCH', 700_000, 0],
      ['PUT', 0, 0],
      ['GET', 0, 700_000],
      ['HEAD', 0, 0],
    ]);
    expect(server.events.filter(({ type }) => type === 'failure')).toEqual([]);
  });

  it('many pulls share one connection, and each gets its own bytes', async () => {
    const registry = emptyRegistry();
    const contents = Array.from({ length: 20 }, (_, at) => blob(Buffer.alloc(200_000 + at, `${at}`)));
    for (const content of contents) await putBlob(registry, 'a', content);
    const session = (await startSecure(registry)).connect();
    const all = await Promise.all(
      contents.map(({ descriptor }) => askHttp2(session, { ':path': `/v2/a/blobs/${descriptor.digest}` })),
    );
    expect(all.every(({ body }, at) => body.equals(contents[at]?.bytes ?? Buffer.alloc(0)))).toBe(true);
  });

  it('a request says that it is secure, and to which host it goes', async () => {
    const heads: unknown[] = [];
    const access = {
      identify: (head: { isSecure: boolean; headers: object; address: string }) => {
        heads.push([head.isSecure, head.headers, head.address]);
        return { address: head.address, via: 'nobody' as const };
      },
      mayDo: () => true,
      hasToLogIn: () => false,
      challenge: () => undefined,
    };
    const server = await startSecure(emptyRegistry(), {}, { access });
    await askHttp2(server.connect(), { ':path': '/v2/', ':authority': 'registry.lan:5000', 'x-a': 'b' });
    expect(heads).toEqual([[true, { host: 'registry.lan:5000', 'x-a': 'b' }, '127.0.0.1']]);
  });

  it.each<readonly [string, readonly (readonly [string, string])[], object]>([
    [
      'credentials',
      [
        ['authorization', 'Basic YTpi'],
        ['authorization', 'Basic Yzpk'],
      ],
      { authorization: 'Basic YTpi' },
    ],
    [
      'forwarded addresses',
      [
        ['x-forwarded-for', '1.1.1.1'],
        ['x-forwarded-for', '2.2.2.2'],
      ],
      { 'x-forwarded-for': '1.1.1.1, 2.2.2.2' },
    ],
  ])('several %s are what they are on HTTP/1.1: the first, or all in one line', async (_, lines, expected) => {
    const heads: object[] = [];
    const access = {
      identify: ({ headers, address }: { headers: object; address: string }) => {
        heads.push(headers);
        return { address, via: 'nobody' as const };
      },
      mayDo: () => true,
      hasToLogIn: () => false,
      challenge: () => undefined,
    };
    const server = await startSecure(emptyRegistry(), {}, { access });
    const socket = await tlsTo(server, { ALPNProtocols: ['h2'] });
    const pseudo = { ':method': 'GET', ':scheme': 'https', ':authority': 'a', ':path': '/v2/' };
    const head = Buffer.concat([headerBlock(pseudo), ...lines.map(([name, value]) => headerBlock({ [name]: value }))]);
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    socket.write(Buffer.concat([frame(4, 0, Buffer.alloc(0), 0), frame(1, 5, head)]));
    await eventually(() => expect(server.events).toHaveLength(1));
    expect(heads).toMatchObject([expected]);
  });

  it('a page of elsewhere is known by its host and origin', async () => {
    const session = (await startSecure()).connect();
    const ask = (authority: string) =>
      askHttp2(session, { ':path': '/v2/', ':authority': authority, origin: `https://${authority}` });
    expect((await ask('evil.example')).status).toBe(403);
    expect((await ask('127.0.0.1')).status).toBe(200);
  });

  it('a body that is refused is not waited for; the connection stays', async () => {
    const server = await startSecure();
    const session = server.connect();
    const stream = session.request({ ...MANIFEST, 'content-length': 100_000_000 });
    stream.on('error', () => {});
    stream.write(Buffer.alloc(10));
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).toBe(413);
    stream.resume();
    await closed(stream);
    expect(stream.rstCode).toBe(NGHTTP2_NO_ERROR);
    expect((await askHttp2(session, { ':path': '/v2/' })).status).toBe(200);
  });

  it('curl gets the answer to a body that is refused', async () => {
    const server = await startSecure();
    const { stdout } = await run('sh', [
      '-c',
      `head -c 30000000 /dev/zero | curl -sS --cacert ${server.caFile} --http2 -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary @- -w '%{http_code}' -o /dev/null ${server.url}/v2/a/manifests/1`,
    ]);
    expect(stdout).toBe('413');
  });

  it('a body is sent when it is asked for (100-continue), and not if it is refused', async () => {
    const session = (await startSecure()).connect();
    const stream = session.request({
      ...MANIFEST,
      expect: '100-continue',
      'content-length': 2,
    });
    stream.on('continue', () => stream.end('{}'));
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).toBe(400);
    stream.resume();
    const refused = session.request({
      ':method': 'PUT',
      ':path': '/v2/a/nothing',
      expect: '100-continue',
      'content-length': 2,
    });
    let asked = 0;
    refused.on('continue', () => asked++);
    expect((await once(refused, 'response'))[0][':status']).toBe(404);
    expect(asked).toBe(0);
    refused.resume();
    await closed(refused);
  });

  it.each([
    ['reset', frame(3, 0, Buffer.from([0, 0, 0, 8]))],
    ['reset as if all were well', frame(3, 0, Buffer.from([0, 0, 0, 0]))],
    ['cut with its connection', undefined],
  ] as const)('a body that is %s is not taken for a whole one', async (_, end) => {
    const server = await startSecure();
    const session = server.connect();
    const begun = await askHttp2(session, {
      ':method': 'POST',
      ':path': '/v2/a/blobs/uploads/',
      'content-length': 0,
    });
    const { digest } = blob('abc').descriptor;
    const socket = await tlsTo(server, { ALPNProtocols: ['h2'] });
    socket.resume();
    const head = headerBlock({
      ':method': 'PUT',
      ':scheme': 'https',
      ':authority': 'localhost',
      ':path': `${begun.headers.location}?digest=${digest}`,
    });
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    socket.write(Buffer.concat([frame(4, 0, Buffer.alloc(0), 0), frame(1, 4, head), frame(0, 0, Buffer.from('abc'))]));
    await eventually(() => expect(server.running.activeRequests).toBe(1));
    if (end) socket.write(end);
    else socket.destroy();
    await eventually(() => expect(requests(server)).toHaveLength(2));
    const asked = await askHttp2(session, { ':method': 'HEAD', ':path': `/v2/a/blobs/${digest}` });
    expect(asked.status).toBe(404);
    expect(server.events.filter(({ type }) => type === 'failure')).toEqual([]);
  });

  it('a client that does not read is ended, its others go on', async () => {
    const content = blob(Buffer.alloc(3_000_000, 'z'));
    const registry = emptyRegistry();
    await putBlob(registry, 'a', content);
    const server = await startSecure(registry, { idle: 150 });
    const session = server.connect();
    const stream = session.request({ ':path': `/v2/a/blobs/${content.descriptor.digest}` });
    stream.on('error', () => {});
    await closed(stream);
    expect(stream.rstCode).not.toBe(NGHTTP2_NO_ERROR);
    expect((await askHttp2(session, { ':path': '/v2/' })).status).toBe(200);
  });

  it('a client that sends nothing more is ended', async () => {
    const server = await startSecure(emptyRegistry(), { idle: 150 });
    const session = server.connect();
    const begun = await askHttp2(session, { ':method': 'POST', ':path': '/v2/a/blobs/uploads/', 'content-length': 0 });
    const stream = session.request({ ':method': 'PATCH', ':path': String(begun.headers.location) });
    stream.on('error', () => {});
    stream.write('abc');
    await closed(stream);
    expect((await askHttp2(session, { ':path': '/v2/' })).status).toBe(200);
  });
});

describe('the limits with TLS', () => {
  it('count connections from the first byte, for a client and altogether', async () => {
    const server = await startSecure(emptyRegistry(), { connections: 3, connectionsPerClient: 2 });
    const silent = [connectPlain(server.port, '127.0.0.1'), connectPlain(server.port, '127.0.0.1')];
    for (const socket of silent) await once(socket, 'connect');
    const ended = closed(silent[0]);
    const session = server.connect();
    expect((await askHttp2(session, { ':path': '/v2/' })).status).toBe(200);
    await ended;
    expect(silent[1]?.destroyed).toBe(false);
  });

  it('close an idle HTTP/2 or TLS connection for a new one, and none that is busy', async () => {
    const server = await startSecure(emptyRegistry(), { connections: 2, connectionsPerClient: 2 });
    const busy = server.connect();
    const upload = busy.request({ ...MANIFEST });
    upload.on('error', () => {});
    upload.write('{');
    await eventually(() => expect(server.running.activeRequests).toBe(1));
    const idle = server.connect();
    expect((await askHttp2(idle, { ':path': '/v2/' })).status).toBe(200);
    const next = server.connect();
    expect((await askHttp2(next, { ':path': '/v2/' })).status).toBe(200);
    expect([busy, idle].map(({ destroyed, closed }) => destroyed || closed)).toEqual([false, true]);
    upload.end('}');
    expect((await once(upload, 'response'))[0][':status']).toBe(400);
  });

  it('hold for streams: those of one connection, and of one client', async () => {
    const server = await startSecure(emptyRegistry(), { connectionsPerClient: 8, streams: 5 });
    const hold = (session: ReturnType<SecureServer['connect']>) => {
      const stream = session.request({ ...MANIFEST });
      stream.on('error', () => {});
      stream.write('{');
      return stream;
    };
    const session = server.connect();
    await once(session, 'remoteSettings');
    expect(session.remoteSettings.maxConcurrentStreams).toBe(5);
    const first = Array.from({ length: 5 }, () => hold(session));
    await eventually(() => expect(server.running.activeRequests).toBe(5));
    const second = server.connect();
    await once(second, 'remoteSettings');
    const more = Array.from({ length: 3 }, () => hold(second));
    await eventually(() => expect(server.running.activeRequests).toBe(8));
    const refused = hold(second);
    await closed(refused);
    expect(refused.rstCode).toBe(NGHTTP2_REFUSED_STREAM);
    for (const stream of first) stream.destroy();
    await eventually(() => expect(server.running.activeRequests).toBe(3));
    expect((await askHttp2(second, { ':path': '/v2/' })).status).toBe(200);
    for (const stream of more) stream.close();
    await eventually(() => expect(server.running.activeRequests).toBe(0));
  });

  it('do not refuse a client whose other streams are slow', async () => {
    const content = blob(Buffer.alloc(4 * 1024 * 1024, 'x'));
    const registry = emptyRegistry();
    await putBlob(registry, 'a', content);
    const server = await startSecure(registry);
    const session = server.connect();
    const slow = Array.from({ length: 12 }, () => {
      const stream = session.request({ ':path': `/v2/a/blobs/${content.descriptor.digest}` });
      stream.on('error', () => {});
      return stream;
    });
    await Promise.all(slow.map((stream) => once(stream, 'response')));
    expect((await askHttp2(session, { ':path': '/v2/' })).status).toBe(200);
    for (const stream of slow) stream.close();
  });

  it('end a client that resets all that it asks for (CVE-2023-44487)', async () => {
    const server = await startSecure();
    const session = server.connect();
    await once(session, 'remoteSettings');
    let asked = 0;
    while (!session.destroyed && !session.closed && asked < 3000) {
      const stream = session.request({ ':path': '/v2/' });
      stream.on('error', () => {});
      stream.close(8);
      if (++asked % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => expect(session.destroyed || session.closed).toBe(true));
    await eventually(() => expect(server.running.activeRequests).toBe(0));
    expect((await askHttp2(server.connect(), { ':path': '/v2/' })).status).toBe(200);
  });

  it('bound the head of a request', async () => {
    const session = (await startSecure()).connect({ maxSendHeaderBlockLength: 1_000_000 });
    const large = await askHttp2(session, { ':path': '/v2/', range: `bytes=${'0-1,'.repeat(10_000)}2-3` });
    expect(large.status).not.toBe(500);
    const huge = await askHttp2(session, { ':path': '/v2/', 'x-a': 'a'.repeat(100_000) });
    expect(huge.status === 0 || huge.status === 431).toBe(true);
  });

  it('end connections without a handshake, or without a request', async () => {
    const server = await startSecure(emptyRegistry(), { head: 150 });
    const silent = connectPlain(server.port, '127.0.0.1');
    silent.on('error', () => {});
    const session = server.connect();
    const http1 = await tlsTo(server);
    http1.write('GET /v2/ HT');
    http1.resume();
    await Promise.all([closed(silent), closed(session), closed(http1)]);
  });

  it('hold for requests sent ahead on HTTP/1.1', async () => {
    const server = await startSecure(emptyRegistry(), { waitingRequests: 1 });
    const socket = await tlsTo(server);
    socket.write('GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await eventually(() =>
      expect(
        Buffer.concat(chunks)
          .toString()
          .match(/HTTP\/1\.1 200/g),
      ).toHaveLength(2),
    );
    socket.write('GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(50));
    await closed(socket);
  });
});

describe('a server with TLS that stops', () => {
  it('lets running requests finish, and ends what is idle at once', async () => {
    const server = await startSecure(emptyRegistry(), {}, { grace: 10_000 });
    const [busy, idle] = [server.connect(), server.connect()];
    expect((await askHttp2(idle, { ':path': '/v2/' })).status).toBe(200);
    const agent = new Agent({ keepAlive: true, ca: server.ca });
    onTestFinished(() => agent.destroy());
    const [answer] = await once(httpsRequest(`${server.url}/v2/`, { agent }).end(), 'response');
    answer.resume();
    const silent = connectPlain(server.port, '127.0.0.1');
    silent.on('error', () => {});
    await once(silent, 'connect');
    const upload = busy.request({ ...MANIFEST });
    upload.write('{');
    await eventually(() => expect(server.running.activeRequests).toBe(1));
    const gone = closed(idle);
    const stopped = server.running[Symbol.asyncDispose]();
    await gone;
    upload.end('}');
    expect((await once(upload, 'response'))[0][':status']).toBe(400);
    upload.resume();
    await stopped;
  });

  it('ends what does not finish within the grace', async () => {
    const server = await startSecure(emptyRegistry(), {}, { grace: 50 });
    const session = server.connect();
    const upload = session.request({ ...MANIFEST });
    upload.on('error', () => {});
    upload.write('{');
    await eventually(() => expect(server.running.activeRequests).toBe(1));
    const gone = closed(session);
    await server.running[Symbol.asyncDispose]();
    await gone;
    await putImage(emptyRegistry(), 'a', '1');
  });
});
