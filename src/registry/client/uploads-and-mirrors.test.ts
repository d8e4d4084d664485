import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { rawManifest } from '../../oci/manifest.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import { registryClients } from './registry-clients.ts';
import { blob, digest, type FaultyRegistry, failure, faultyForEach, index } from './testing/faulty-registry.ts';
import { hang, sendRange, startFaultyServer, status } from './testing/faulty-server.ts';

let { server, registry, retries } = {} as FaultyRegistry;
faultyForEach((faulty) => ({ server, registry, retries } = faulty));

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

  it('checks whether the blob is there only if an answer was lost', async () => {
    let lost = 1;
    server.inject((request, response) => {
      if (request.method === 'HEAD') {
        if (request.nth === 0) return status(404)(request, response);
        sendRange(request, response, blob);
        return true;
      }
      if (request.method === 'POST') return status(202, { location: '/upload/1' })(request, response);
      if (lost-- > 0) response.destroy();
      else response.writeHead(201).end();
      return true;
    });
    expect(await registry.statBlob('app', digest)).toBeUndefined();
    await registry.putBlob('app', descriptor, open);
    expect(server.requests.map(({ method }) => method)).toEqual(['HEAD', 'POST', 'PUT', 'HEAD']);
  });

  it.each([true, false])(
    'is made if the registry has the blob with another size, and checked afterwards (repaired: %s)',
    async (mends) => {
      server.inject((request, response) => {
        const held = mends && request.nth > 1 ? blob : blob.subarray(0, 7);
        if (request.method === 'HEAD') return status(200, { 'content-length': `${held.length}` })(request, response);
        if (request.method === 'POST') return status(202, { location: '/upload/1' })(request, response);
        if (request.method === 'PUT') return status(201)(request, response);
        sendRange(request, response, held);
        return true;
      });
      const putting = registry.putBlob('app', descriptor, open);
      if (mends) await putting;
      else
        expect(await failure(putting)).toMatchObject({ code: 'SIZE_INVALID', hint: expect.stringContaining('Remove') });
      expect(server.requests.map(({ method }) => method)).toEqual(['HEAD', 'GET', 'POST', 'PUT', 'GET']);
    },
  );

  it('is not made if the registry only reports a wrong size', async () => {
    server.inject((request, response) => {
      if (request.method === 'HEAD') return status(200, { 'content-length': '7' })(request, response);
      return false;
    });
    await registry.putBlob('app', descriptor, open);
    expect(server.requests.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
  });

  it.each([200, 202, 204])('that is answered %i counts as done only if the blob is there then', async (code) => {
    let keeps = true;
    let there = false;
    server.inject((request, response) => {
      if (request.method === 'HEAD') {
        return there ? false : status(404)(request, response);
      }
      if (request.method === 'POST') return status(202, { location: '/upload/1' })(request, response);
      there = keeps;
      return status(code)(request, response);
    });
    await registry.putBlob('app', descriptor, open);
    expect(server.requests.map(({ method }) => method)).toEqual(['HEAD', 'POST', 'PUT', 'HEAD']);
    keeps = there = false;
    const error = await failure(registry.putBlob('app', descriptor, open));
    expect(error.code).toBe('BAD_ANSWER');
    expect(error.message).toContain('is not there');
    expect(error.message).toContain(`blob ${server.host}/app@${digest}`);
  });

  it('is tried as often if a mount has begun it', async () => {
    server.inject((request, response) => {
      if (request.method === 'HEAD') return status(404)(request, response);
      if (request.method === 'POST') return status(202, { location: '/upload/1' })(request, response);
      if (request.method === 'GET') sendRange(request, response, blob);
      else response.destroy();
      return true;
    });
    expect(await registry.mountBlob('app', digest, 'other')).toBe(false);
    expect((await failure(registry.putBlob('app', descriptor, open))).code).toBe('BROKEN_OFF');
    expect(server.requests.filter(({ method }) => method === 'PUT')).toHaveLength(4);
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

describe('a manifest that is put', () => {
  it.each([200, 202, 204])('and answered %i counts as done only if it is there then', async (code) => {
    const manifest = rawManifest(index);
    server.inject((request, response) => (request.method === 'PUT' ? status(code)(request, response) : false));
    await registry.putManifest('app', manifest, ['latest']);
    expect(server.requests.map(({ method }) => method)).toEqual(['PUT', 'GET']);
    const error = await failure(registry.putManifest('app', manifest, ['other']));
    expect(error.code).toBe('BAD_ANSWER');
  });

  it('counts as done if the answer names another digest, but its own is there', async () => {
    server.inject((request, response) =>
      request.method === 'PUT' ? status(201, { 'docker-content-digest': digest })(request, response) : false,
    );
    await registry.putManifest('app', rawManifest(index), ['latest']);
  });
});

describe('a mirror', () => {
  it('is asked first, and the host itself where the mirror lacks it or fails', async () => {
    await using mirror = await startFaultyServer();
    await using mirrored = registryClients({
      temporaryDirectory: tmpdir(),
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
      temporaryDirectory: tmpdir(),
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
      temporaryDirectory: tmpdir(),
      hostRule: async () => ({ mirrors: [], upstream: { host: server.host }, blockedBy: '/etc/x.conf' }),
    });
    const error = await failure(blocked.forHost('x.example.com').getManifest('app', 'latest'));
    expect(error.code).toBe('DENIED');
    expect(error.message).toContain('/etc/x.conf');
  });
});

describe('a mount, where a host has rules of its own for some repositories', () => {
  it('is tried only within one upstream, under its names there, and not if the source is blocked', async () => {
    await using other = await startFaultyServer();
    await using clients = registryClients({
      temporaryDirectory: tmpdir(),
      hostRule: async (_host, repository = '') => ({
        mirrors: [],
        upstream: repository.startsWith('moved/')
          ? { host: other.host }
          : { host: server.host, rename: { from: '', to: 'cache' } },
        ...(repository.startsWith('blocked/') && { blockedBy: '/etc/x.conf' }),
      }),
    });
    server.inject((request, response) => {
      if (request.method === 'POST') return status(201)(request, response);
      sendRange(request, response, blob);
      return true;
    });
    const host = clients.forHost('registry.example.com');
    expect(await host.mountBlob('app', digest, 'moved/base')).toBe(false);
    expect(await host.mountBlob('app', digest, 'blocked/base')).toBe(false);
    expect([...server.requests, ...other.requests]).toEqual([]);
    expect(await host.mountBlob('app', digest, 'base')).toBe(true);
    const [look, mount] = server.requests;
    expect(mount?.url).toBe(`/v2/cache/app/blobs/uploads/?mount=${digest}&from=cache/base`);
    expect(look).toMatchObject({
      method: 'GET',
      url: `/v2/cache/base/blobs/${digest}`,
      headers: { range: 'bytes=0-0' },
    });
    expect(server.requests).toHaveLength(2);
  });
});
