import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { MAX_MANIFEST_SIZE, rawManifest } from '../../oci/manifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../oci/media-types.ts';
import type { Bytes, Registry } from '../contract.ts';
import { type RegistryClients, registryClients } from './registry-clients.ts';
import type { RetryEvent } from './settings.ts';
import {
  closeAfter,
  type FaultyServer,
  firstTimes,
  hang,
  sendJson,
  sendRange,
  startFaultyServer,
  status,
} from './testing/faulty-server.ts';

const blob = randomBytes(400_000);
const digest = digestOf(blob);
const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }));

let server: FaultyServer;
let clients: RegistryClients;
let registry: Registry;
let retries: RetryEvent[];

beforeEach(async () => {
  server = await startFaultyServer({ contents: [blob], manifest: { bytes: index, mediaType: OCI_INDEX } });
  retries = [];
  clients = registryClients({
    backoff: { attempts: 4, base: 2, longest: 2000 },
    onRetry: (event) => retries.push(event),
  });
  registry = clients.forHost(server.host);
});
afterEach(async () => {
  await clients[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function collect(body: Bytes): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(body));
}

async function failure(work: Promise<unknown>): Promise<ImagesError> {
  const thrown = await work.then(
    () => undefined,
    (error) => error,
  );
  expect(thrown).toBeInstanceOf(ImagesError);
  return thrown;
}

async function getBlob(from = 0, at = registry): Promise<Buffer> {
  return collect((await at.getBlob('app', digest, { from })).body);
}

/** A client that gives up soon. */
function impatient(): RegistryClients {
  return registryClients({
    timeouts: { headers: 300, idle: 300 },
    backoff: { attempts: 3, base: 2, longest: 10 },
  });
}

describe('a connection that fails', () => {
  it('is given up with TIMEOUT, naming the host, when nothing ever comes', async () => {
    await using soon = impatient();
    server.inject(hang);
    const error = await failure(soon.forHost(server.host).getManifest('app', 'latest'));
    expect(error.code).toBe('TIMEOUT');
    expect(error.message).toContain(server.host);
    expect(server.requests).toHaveLength(1);
  });

  it('is given up with TIMEOUT when a body stops coming and does so again and again', async () => {
    await using soon = impatient();
    server.inject((request, response) => {
      const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.setHeader('content-length', blob.length - from);
      response.setHeader('content-range', `bytes ${from}-${blob.length - 1}/${blob.length}`);
      response.writeHead(206);
      response.write(blob.subarray(from, from + 10));
      return true;
    });
    const error = await failure(getBlob(0, soon.forHost(server.host)));
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
    // Two take turns: one can still be busy with an end that nobody waits for.
    expect(ports.size).toBeLessThanOrEqual(2);
  });
});

describe('a download that breaks off', () => {
  it('goes on where it was, as often as it gets on', async () => {
    server.inject(closeAfter(100_000, blob));
    expect((await getBlob()).equals(blob)).toBe(true);
    expect(server.requests.map((request) => request.headers.range)).toEqual([
      undefined,
      'bytes=100000-',
      'bytes=200000-',
      'bytes=300000-',
    ]);
    expect(retries.every((event) => event.host === server.host)).toBe(true);
  });

  it('goes on where a reader wanted to begin', async () => {
    server.inject(closeAfter(150_000, blob));
    expect((await getBlob(50_000)).equals(blob.subarray(50_000))).toBe(true);
    expect(server.requests[1]?.headers.range).toBe('bytes=200000-');
  });

  it('skips what it has where the host ignores Range', async () => {
    server.inject((request, response) => {
      if (request.nth === 0) return closeAfter(100_000, blob)(request, response);
      sendRange({ ...request, headers: {} }, response, blob);
      return true;
    });
    expect((await getBlob()).equals(blob)).toBe(true);
  });

  it('is given up with BROKEN_OFF when it does not get on', async () => {
    server.inject(closeAfter(100, blob));
    const error = await failure(getBlob());
    expect(error.code).toBe('BROKEN_OFF');
    expect(error.message).toContain(server.host);
    expect(server.requests).toHaveLength(4);
  });

  it('goes on where the host never says how long it is, to somebody who knows', async () => {
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

  it('gives up its connection when its reader leaves', async () => {
    const { body } = await registry.getBlob('app', digest);
    for await (const _chunk of body) break;
    expect((await getBlob()).equals(blob)).toBe(true);
  });
});

describe('a blob that is not what was asked for', () => {
  it('ends in DIGEST_INVALID, before its reader takes it for whole', async () => {
    server.inject((request, response) => {
      sendRange(request, response, Buffer.alloc(blob.length));
      return true;
    });
    const error = await failure(getBlob());
    expect(error.code).toBe('DIGEST_INVALID');
    expect(error.message).toContain(server.host);
  });

  it('ends in an error when it is shorter than it should be', async () => {
    server.inject((request, response) => {
      sendRange(request, response, blob.subarray(0, 1000));
      return true;
    });
    expect((await failure(getBlob())).code).toBe('DIGEST_INVALID');
  });
});

describe('an unwelcome answer', () => {
  const body = (code: string, message: string) => JSON.stringify({ errors: [{ code, message }] });

  it.each([
    [401, 'UNAUTHORIZED'],
    [403, 'DENIED'],
    [404, 'MANIFEST_UNKNOWN'],
    [405, 'UNSUPPORTED'],
    [400, 'BAD_ANSWER'],
  ] as const)('with status %i is %s, at once', async (code, expected) => {
    server.inject(status(code));
    const error = await failure(registry.getManifest('app', 'latest'));
    expect(error.code).toBe(expected);
    expect(error.status).toBe(code);
    expect(error.message).toContain(`${server.host}/app:latest`);
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    [408, 'BAD_ANSWER'],
    [429, 'TOOMANYREQUESTS'],
    [500, 'SERVER_ERROR'],
    [502, 'SERVER_ERROR'],
    [503, 'SERVER_ERROR'],
    [504, 'SERVER_ERROR'],
  ] as const)('with status %i is tried again, and %s in the end', async (code, expected) => {
    server.inject(status(code));
    expect((await failure(registry.getManifest('app', 'latest'))).code).toBe(expected);
    expect(server.requests).toHaveLength(4);
    server.inject(firstTimes(3, status(code)));
    expect((await registry.getManifest('app', 'latest')).digest).toBe(digestOf(index));
  });

  it('is waited out as long as Retry-After says', async () => {
    server.inject(firstTimes(1, status(429, { 'retry-after': '1' })));
    await registry.getManifest('app', 'latest');
    expect(retries.map((event) => event.after)).toEqual([1000]);
  });

  it('is an error at once where Retry-After says longer than anyone waits', async () => {
    server.inject(status(429, { 'retry-after': '3600' }));
    const error = await failure(registry.getManifest('app', 'latest'));
    expect(error.code).toBe('TOOMANYREQUESTS');
    expect(error.hint).toBeDefined();
    expect(server.requests).toHaveLength(1);
  });

  it('brings its own code and words, on one line', async () => {
    server.inject(status(404, {}, body('NAME_UNKNOWN', 'no\n\u001b[31msuch\tname')));
    const error = await failure(registry.getManifest('app', 'latest'));
    expect(error.code).toBe('NAME_UNKNOWN');
    expect(error.message).toContain('no [31msuch name');
    expect(error.message).not.toMatch(/[\u0000-\u001f]/);
  });

  it('that is HTML is BAD_ANSWER, with the first words of it', async () => {
    server.inject(status(200, { 'content-type': 'text/html' }, '<html><title>Please log in</title></html>'));
    const error = await failure(registry.getManifest('app', 'latest'));
    expect(error.code).toBe('BAD_ANSWER');
    expect(error.message).toContain('text/html');
    expect(error.message).toContain('Please log in');
    expect((await failure(Array.fromAsync(registry.tags('app')))).code).toBe('BAD_ANSWER');
  });
});

describe('a manifest', () => {
  it('of more than 4 MiB is refused, whether its size is told or not', async () => {
    const large = Buffer.alloc(MAX_MANIFEST_SIZE + 1, 0x20);
    server.inject((request, response) => {
      sendRange(request, response, large);
      return true;
    });
    expect((await failure(registry.getManifest('app', 'latest'))).code).toBe('MANIFEST_TOO_LARGE');
    server.inject((_request, response) => {
      response.writeHead(200, { 'content-type': OCI_MANIFEST });
      const write = () => {
        while (!response.destroyed && response.write(large.subarray(0, 65_536)));
      };
      response.on('drain', write);
      write();
      return true;
    });
    expect((await failure(registry.getManifest('app', 'latest'))).code).toBe('MANIFEST_TOO_LARGE');
  });

  it('that differs from its digest, asked for or announced, is DIGEST_INVALID', async () => {
    server.inject((request, response) => {
      response.setHeader('content-type', OCI_INDEX);
      if (request.url.endsWith('latest')) response.setHeader('docker-content-digest', digest);
      response.end(index);
      return true;
    });
    expect((await failure(registry.getManifest('app', digest))).code).toBe('DIGEST_INVALID');
    expect((await failure(registry.getManifest('app', 'latest'))).code).toBe('DIGEST_INVALID');
    expect(server.requests).toHaveLength(2);
  });

  it('that is served as something general is known by its own words', async () => {
    server.inject(status(200, { 'content-type': 'application/json; charset=utf-8' }, index.toString()));
    expect(await registry.getManifest('app', 'latest')).toEqual(rawManifest(index));
  });

  it('costs one HEAD to look at, and a GET only where the HEAD does not say enough', async () => {
    expect(await registry.statManifest('app', 'latest')).toEqual({
      mediaType: OCI_INDEX,
      digest: digestOf(index),
      size: index.length,
    });
    expect(server.requests.map((request) => request.method)).toEqual(['HEAD']);
    server.inject(status(200, { 'content-type': OCI_INDEX }, index.toString()));
    expect((await registry.statManifest('app', 'latest'))?.digest).toBe(digestOf(index));
    expect(server.requests.map((request) => request.method)).toEqual(['HEAD', 'GET']);
  });

  it('of Docker’s schema 1 is UNSUPPORTED', async () => {
    server.inject(
      status(
        200,
        { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' },
        '{"schemaVersion":1}',
      ),
    );
    expect((await failure(registry.getManifest('app', 'latest'))).code).toBe('UNSUPPORTED');
  });
});

describe('a redirect', () => {
  it('without end is BAD_ANSWER', async () => {
    server.inject((request, response) => {
      response.writeHead(307, { location: `${request.url}x` }).end();
      return true;
    });
    const error = await failure(registry.getManifest('app', 'latest'));
    expect(error.code).toBe('BAD_ANSWER');
    expect(error.message).toContain('without end');
    expect(server.requests).toHaveLength(11);
  });

  it('is followed to another host, which is not told the password', async () => {
    await using other = await startFaultyServer({ contents: [blob] });
    await using secret = registryClients({
      credentials: {
        find: async () => ({ type: 'password', username: 'me', password: 'secret' }),
        places: [],
      },
    });
    server.inject((request, response) => {
      if (!request.headers.authorization)
        return status(401, { 'www-authenticate': 'Basic realm="r"' })(request, response);
      response.writeHead(302, { location: `http://${other.host}${request.url}` }).end();
      return true;
    });
    const { body } = await secret.forHost(server.host).getBlob('app', digest);
    expect((await collect(body)).equals(blob)).toBe(true);
    expect(server.requests.at(-1)?.headers.authorization).toBeDefined();
    expect(other.requests.map((request) => request.headers.authorization)).toEqual([undefined]);
  });

  it('to nowhere is BAD_ANSWER', async () => {
    server.inject(status(302));
    expect((await failure(registry.getManifest('app', 'latest'))).code).toBe('BAD_ANSWER');
    server.inject(status(302, { location: 'ftp://elsewhere/x' }));
    expect((await failure(registry.getManifest('app', 'latest'))).code).toBe('BAD_ANSWER');
  });
});

describe('a list', () => {
  it('is read page by page, relative or absolute, always at the same host, and sorted', async () => {
    server.inject((request, response) => {
      const last = new URL(request.url, 'http://x').searchParams.get('last');
      if (last === null) response.setHeader('link', `</v2/app/tags/list?n=2&last=b>; rel="next"`);
      if (last === 'b') response.setHeader('link', `<https://internal.invalid/v2/app/tags/list?n=2&last=c>; rel=next`);
      return sendJson(response, 200, {
        name: 'app',
        tags: last === null ? ['b', 'a'] : last === 'b' ? ['Z', 'c'] : null,
      });
    });
    expect(await Array.fromAsync(registry.tags('app'))).toEqual(['Z', 'a', 'b', 'c']);
    expect(server.requests).toHaveLength(3);
  });

  it('that is none is BAD_ANSWER; null is an empty one', async () => {
    const list = async (repositories: unknown) => {
      server.inject((_request, response) => sendJson(response, 200, { repositories }));
      return await Array.fromAsync(registry.repositories());
    };
    expect(await list(null)).toEqual([]);
    expect((await failure(list('many'))).code).toBe('BAD_ANSWER');
  });

  it('in a circle is BAD_ANSWER', async () => {
    server.inject((_request, response) => {
      response.setHeader('link', '</v2/_catalog?n=1>; rel="next"');
      return sendJson(response, 200, { repositories: ['a'] });
    });
    expect((await failure(Array.fromAsync(registry.repositories()))).code).toBe('BAD_ANSWER');
  });

  it('of referrers is filtered here where the host did not', async () => {
    const entry = (artifactType: string) => ({ mediaType: OCI_MANIFEST, digest, size: 2, artifactType });
    const answer = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry('a/b'), entry('c/d')] };
    server.inject((_request, response) => sendJson(response, 200, answer));
    expect(await Array.fromAsync(registry.referrers('app', digest, 'c/d'))).toMatchObject([{ artifactType: 'c/d' }]);
    server.inject((_request, response) => {
      response.setHeader('oci-filters-applied', 'artifactType');
      return sendJson(response, 200, { ...answer, manifests: [entry('c/d')] });
    });
    expect(await Array.fromAsync(registry.referrers('app', digest, 'c/d'))).toHaveLength(1);
  });

  it('of referrers is read from the tag where there is no such API', async () => {
    const bytes = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ mediaType: OCI_MANIFEST, digest, size: 2 }] };
    server.inject((request, response) => {
      if (!request.url.endsWith(`/manifests/${digest.replace(':', '-')}`)) return status(404)(request, response);
      response.writeHead(200, { 'content-type': OCI_INDEX });
      response.end(JSON.stringify(bytes));
      return true;
    });
    expect(await Array.fromAsync(registry.referrers('app', digest))).toEqual(bytes.manifests);
  });
});

describe('an upload', () => {
  const descriptor = { mediaType: '', digest, size: blob.length };
  const open = async () =>
    (async function* () {
      yield blob.subarray(0, 1000);
      yield blob.subarray(1000);
    })();

  it('starts anew when it breaks off, a bounded number of times', async () => {
    let broken = 2;
    server.inject((request, response) => {
      if (request.method === 'HEAD') return status(404)(request, response);
      if (request.method === 'POST') return status(202, { location: '/upload/1?state=x' })(request, response);
      if (broken-- > 0) {
        response.destroy();
        return true;
      }
      return status(201)(request, response);
    });
    await registry.putBlob('app', descriptor, open);
    const put = server.requests.filter((request) => request.method === 'PUT');
    expect(put.map((request) => request.url)).toEqual(Array(3).fill(`/upload/1?state=x&digest=${digest}`));
    broken = 100;
    expect((await failure(registry.putBlob('app', descriptor, open))).code).toBe('BROKEN_OFF');
  });

  it('is not told the password where it leads to another host', async () => {
    await using other = await startFaultyServer();
    other.inject(status(201));
    server.inject((request, response) => {
      if (request.method === 'HEAD') return status(404)(request, response);
      return status(202, { location: `http://${other.host}/there` })(request, response);
    });
    await registry.putBlob('app', descriptor, open);
    expect(other.requests).toHaveLength(1);
    expect(other.requests[0]?.headers.authorization).toBeUndefined();
  });

  it('stops when the host refuses it in the middle', async () => {
    server.inject((request, response) => {
      if (request.method === 'HEAD') return status(404)(request, response);
      if (request.method === 'POST') return status(202, { location: '/upload/1' })(request, response);
      return status(413, {}, 'too large')(request, response);
    });
    expect((await failure(registry.putBlob('app', descriptor, open))).status).toBe(413);
  });
});

describe('a mirror', () => {
  it('is asked first, and the host itself where the mirror lacks it or fails', async () => {
    await using mirror = await startFaultyServer();
    await using mirrored = registryClients({
      backoff: { attempts: 1, base: 1, longest: 1 },
      hostRule: async () => ({
        mirrors: [{ host: mirror.host, pulls: 'all', namespace: true, rename: { from: '', to: 'cache' } }],
        upstream: { host: server.host },
      }),
    });
    const host = mirrored.forHost('registry.example.com');
    expect((await host.getManifest('app', 'latest')).digest).toBe(digestOf(index));
    expect(mirror.requests.map((request) => request.url)).toEqual([
      '/v2/cache/app/manifests/latest?ns=registry.example.com',
    ]);
    mirror.inject(status(500));
    expect(await host.statBlob('app', digest)).toMatchObject({ size: blob.length });
    mirror.inject((request, response) => {
      response.setHeader('content-type', OCI_INDEX);
      sendRange(request, response, index);
      return true;
    });
    server.inject(hang);
    expect((await host.getManifest('app', 'latest')).digest).toBe(digestOf(index));
    expect(server.requests).toEqual([]);
  });

  it('that cannot be reached is left alone for a while', async () => {
    const mirror = await startFaultyServer();
    await using mirrored = registryClients({
      hostRule: async () => ({ mirrors: [{ host: mirror.host, pulls: 'all' }], upstream: { host: server.host } }),
      onRetry: (event) => retries.push(event),
    });
    await mirror[Symbol.asyncDispose]();
    const host = mirrored.forHost('registry.example.com');
    await host.getManifest('app', 'latest');
    await host.getManifest('app', 'latest');
    expect(retries.map((event) => event.what)).toEqual([`mirror ${mirror.host}`]);
  });

  it('does not hide that a host is blocked', async () => {
    await using blocked = registryClients({
      hostRule: async () => ({ mirrors: [], upstream: { host: server.host }, blockedBy: '/etc/x.conf' }),
    });
    const error = await failure(blocked.forHost('x.example.com').getManifest('app', 'latest'));
    expect(error.code).toBe('DENIED');
    expect(error.message).toContain('/etc/x.conf');
  });
});
