import { type AddressInfo, createServer, type Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { needs } from '../../../test/peers/find.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../../test/peers/temporary.ts';
import { digestOf } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import { registryClients } from './registry-clients.ts';
import type { ClientSettings } from './settings.ts';
import { makeCertificates, type TestCertificates } from './testing/certificates.ts';
import { type FaultyServer, startFaultyServer } from './testing/faulty-server.ts';
import { startProxy } from './testing/proxy.ts';

const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }));
const options = { manifest: { bytes: index, mediaType: OCI_INDEX } };

const ipv6 = Object.values(networkInterfaces()).some((all) => all?.some((each) => each.address === '::1'));

/** Requests a manifest. Returns the error, or `undefined`. */
async function ask(host: string, settings: Partial<ClientSettings>): Promise<ImagesError | undefined> {
  await using clients = registryClients({ temporaryDirectory: tmpdir(), timeouts: { headers: 2000 }, ...settings });
  try {
    await clients.forHost(host).getManifest('app', 'latest');
    return undefined;
  } catch (error) {
    if (error instanceof ImagesError) return error;
    throw error;
  }
}

/** Settings that map the host to an address. */
function at(
  address: string,
  more: { readonly insecure?: boolean; readonly scheme?: 'http' | 'https' },
): Partial<ClientSettings> {
  return { hostRule: async () => ({ mirrors: [], upstream: { host: address, ...more } }) };
}

describe('a host that speaks plain http', () => {
  let server: FaultyServer;
  beforeEach(async () => {
    server = await startFaultyServer(options);
  });
  afterEach(() => server[Symbol.asyncDispose]());

  it('is asked over it on loopback, and if it is the private registry', async () => {
    expect(await ask(server.host, {})).toBeUndefined();
    expect(
      await ask(`localhost:${server.port}`, { privateHosts: [`http://localhost:${server.port}`] }),
    ).toBeUndefined();
    expect(server.requests).toHaveLength(2);
  });

  it.skipIf(!ipv6)(`is asked by IPv6 address too${ipv6 ? '' : ' (skipped: no IPv6 loopback here)'}`, async () => {
    await using six = await startFaultyServer({ ...options, address: '::1' });
    expect(await ask(`[::1]:${six.port}`, {})).toBeUndefined();
    expect(six.requests[0]?.headers.host).toBe(`[::1]:${six.port}`);
  });

  it('is not asked over it elsewhere, unless it is marked insecure', async () => {
    await using proxy = await startProxy({ port: server.port });
    const proxies = { http: `http://${proxy.address}`, https: `http://${proxy.address}` };
    const refused = await ask('registry.example.com', { proxies });
    expect(refused?.code).toBe('UNREACHABLE');
    expect(refused?.hint).toContain('insecure');
    expect(server.requests).toEqual([]);
    expect(
      await ask('registry.example.com', { proxies, ...at('registry.example.com', { insecure: true }) }),
    ).toBeUndefined();
    expect(proxy.seen).toEqual([
      'CONNECT registry.example.com:443',
      'CONNECT registry.example.com:443',
      'GET http://registry.example.com/v2/app/manifests/latest',
    ]);
  });
});

describe('a host that accepts connections and says nothing', () => {
  it('is given up with TIMEOUT, and no content is opened for it', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket));
    await new Promise<void>((ready) => silent.listen(0, '127.0.0.1', ready));
    const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    await using clients = registryClients({
      temporaryDirectory: tmpdir(),
      privateHosts: [`https://${host}`],
      timeouts: { connect: 200 },
    });
    const refuse = () => Promise.reject(new Error('opened'));
    const blob = { mediaType: '', digest: digestOf(index), size: index.length };
    const put = clients.forHost(host).putBlob('app', blob, refuse);
    await expect(put).rejects.toMatchObject({ code: 'TIMEOUT', message: expect.stringContaining(host) });
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => silent.close(closed));
  });
});

const openssl = needs('openssl');

describe.skipIf(openssl.missing)(`a host that speaks TLS${openssl.why}`, () => {
  let directory: TemporaryDirectory;
  let tls: TestCertificates;
  let server: FaultyServer;
  beforeAll(async () => {
    directory = await temporaryDirectory('tls');
    tls = await makeCertificates(directory.path);
    server = await startFaultyServer({ ...options, tls });
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await directory?.[Symbol.asyncDispose]();
  });
  const trusting = (): Partial<ClientSettings> => ({ tlsFiles: async () => ({ ca: [tls.ca] }) });

  it('is reached on loopback with any certificate, though plain http is tried first', async () => {
    expect(await ask(server.host, {})).toBeUndefined();
  });

  it('is trusted with its CA, and not without, with a hint where to put it', async () => {
    const private_ = { privateHosts: [`https://${server.host}`] };
    expect(await ask(server.host, { ...private_, ...trusting() })).toBeUndefined();
    const refused = await ask(server.host, private_);
    expect(refused?.code).toBe('UNREACHABLE');
    expect(refused?.message).toContain(server.host);
    expect(refused?.hint).toContain(`certs.d/${server.host}/ca.crt`);
  });

  it('is not trusted under another name than its certificate’s', async () => {
    await using proxy = await startProxy({ port: server.port });
    const settings = { ...trusting(), proxies: { https: `http://${proxy.address}` } };
    expect(await ask('registry.example.com', settings)).toBeUndefined();
    expect((await ask('other.example.com', settings))?.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('takes any certificate where it is marked insecure', async () => {
    expect(await ask('x.example.com', at(server.host, { insecure: true, scheme: 'https' }))).toBeUndefined();
  });

  it('is reached through a proxy’s tunnel, with the proxy’s password', async () => {
    await using proxy = await startProxy({ port: server.port });
    const proxies = { https: `http://me:secret@${proxy.address}` };
    expect(await ask('registry.example.com', { ...trusting(), proxies })).toBeUndefined();
    expect(proxy.seen).toEqual(['CONNECT registry.example.com:443']);
    expect(proxy.authorizations).toEqual([`Basic ${Buffer.from('me:secret').toString('base64')}`]);
    expect(server.requests.at(-1)?.headers['proxy-authorization']).toBeUndefined();
  });

  it('is reached without the proxy if no_proxy says so, and always if it is the private registry', async () => {
    const dead = { http: 'http://127.0.0.1:1', https: 'http://127.0.0.1:1' };
    const there = at(server.host, { scheme: 'https', insecure: true });
    expect(await ask('x.example.com', { ...there, proxies: dead })).toBeUndefined();
    expect((await ask('x.example.com', { proxies: dead }))?.code).toBe('UNREACHABLE');
  });

  it('is UNREACHABLE when the proxy refuses', async () => {
    await using proxy = await startProxy({ port: server.port, refuse: 407 });
    const error = await ask('registry.example.com', { proxies: { https: `http://me:secret@${proxy.address}` } });
    expect(error?.code).toBe('UNREACHABLE');
    expect(error?.message).toContain('407');
    expect(`${error?.message} ${error?.hint}`).not.toContain('secret');
  });

  it('is not blamed if the proxy cannot be reached', async () => {
    const [dead, unnamed] = ['127.0.0.1:1', 'proxy.invalid:3128'];
    const insecure = at('registry.example.com', { insecure: true });
    const plain = at('registry.example.com', { scheme: 'http' });
    for (const settings of [
      { proxies: { https: `http://${dead}` } },
      { proxies: { https: `http://${dead}` }, ...insecure },
      { proxies: { http: `http://${dead}` }, ...plain },
    ]) {
      const error = await ask('registry.example.com', settings);
      expect(error?.code).toBe('UNREACHABLE');
      expect(error?.message).toBe(`cannot reach proxy ${dead}: it refuses the connection`);
      expect(error?.hint).toContain('https_proxy');
    }
    const error = await ask('registry.example.com', { proxies: { https: `http://me:secret@${unnamed}` } });
    expect(error?.message).toBe(`cannot reach proxy ${unnamed}: its name cannot be resolved`);
  });

  it('does not redirect to plain http', async () => {
    server.inject((_request, response) => {
      response.writeHead(302, { location: 'http://cdn.example.com/x' }).end();
      return true;
    });
    const error = await ask(server.host, trusting());
    server.inject(() => false);
    expect(error?.code).toBe('BAD_ANSWER');
    expect(error?.message).toContain('cdn.example.com');
  });
});
