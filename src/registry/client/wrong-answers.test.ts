import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { MAX_MANIFEST_SIZE, rawManifest } from '../../oci/manifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../oci/media-types.ts';
import { registryClients } from './registry-clients.ts';
import {
  blob,
  collect,
  digest,
  type FaultyRegistry,
  failure,
  faultyForEach,
  index,
} from './testing/faulty-registry.ts';
import { firstTimes, sendRange, startFaultyServer, status } from './testing/faulty-server.ts';

let { server, registry, retries } = {} as FaultyRegistry;
faultyForEach((faulty) => ({ server, registry, retries } = faulty));

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

  it('is followed by a wait as long as Retry-After says', async () => {
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

  it('has its own code and text, on one line', async () => {
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

  it('that differs from its digest is DIGEST_INVALID', async () => {
    server.inject(status(200, { 'content-type': OCI_INDEX }, index.toString()));
    expect((await failure(registry.getManifest('app', digest))).code).toBe('DIGEST_INVALID');
    expect(server.requests).toHaveLength(1);
  });

  it.each([true, false])('that is announced as another is asked for by its own digest (known: %s)', async (known) => {
    server.inject((request, response) => {
      if (!request.url.endsWith('latest') && !known) return status(404)(request, response);
      const headers = { 'content-type': OCI_INDEX, 'docker-content-digest': digest };
      return status(200, headers, index.toString())(request, response);
    });
    const asking = registry.getManifest('app', 'latest');
    if (known) expect((await asking).digest).toBe(digestOf(index));
    else {
      const error = await failure(asking);
      expect(error.code).toBe('DIGEST_INVALID');
      expect(error.message).toContain(`announces ${digest}`);
      expect(`${error.message} ${error.hint}`).not.toContain('damage');
    }
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/v2/app/manifests/latest',
      `/v2/app/manifests/${digestOf(index)}`,
    ]);
  });

  it('with a general Content-Type has the type that it names itself', async () => {
    server.inject(status(200, { 'content-type': 'application/json; charset=utf-8' }, index.toString()));
    expect(await registry.getManifest('app', 'latest')).toEqual(rawManifest(index));
  });

  it('costs one HEAD to look up, and a GET only if the HEAD does not say enough', async () => {
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

  it.each([301, 302, 303, 307, 308])('with %i is followed', async (code) => {
    server.inject((request, response) =>
      request.url.endsWith('?moved') ? false : status(code, { location: `${request.url}?moved` })(request, response),
    );
    const { body } = await registry.getBlob('app', digest, { size: blob.length });
    expect((await collect(body)).equals(blob)).toBe(true);
  });

  it('is followed to another host, which is not told the password', async () => {
    await using other = await startFaultyServer({ contents: [blob] });
    await using secret = registryClients({
      temporaryDirectory: tmpdir(),
      credentials: {
        find: async () => ({ type: 'password', username: 'me', password: 'secret' }),
        searched: [],
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

  it('without a usable target is BAD_ANSWER', async () => {
    server.inject(status(302));
    expect((await failure(registry.getManifest('app', 'latest'))).code).toBe('BAD_ANSWER');
    server.inject(status(302, { location: 'ftp://elsewhere/x' }));
    expect((await failure(registry.getManifest('app', 'latest'))).code).toBe('BAD_ANSWER');
  });
});
