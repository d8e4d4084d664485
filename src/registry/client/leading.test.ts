import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import type { ImagesError } from '../../oci/errors.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import type { Registry } from '../contract.ts';
import { type RegistryClients, registryClients } from './registry-clients.ts';
import type { ClientSettings, HostRule } from './settings.ts';
import { blob, collect, failure, index } from './testing/faulty-registry.ts';
import { type Fault, type FaultyServer, startFaultyServer, status } from './testing/faulty-server.ts';
import { startProxy, type TestProxy } from './testing/proxy.ts';

// All hosts but loopback are reached through the proxy, which connects them to one server. The `host` header shows the requested host.
let server: FaultyServer;
let proxy: TestProxy;
let clients: RegistryClients;
beforeEach(async () => {
  server = await startFaultyServer({ contents: [blob], manifest: { bytes: index, mediaType: OCI_INDEX } });
  proxy = await startProxy({ port: server.port });
});
afterEach(async () => {
  await clients[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function registryAt(host: string, rules: Record<string, HostRule> = {}): Registry {
  const settings: ClientSettings = {
    temporaryDirectory: tmpdir(),
    backoff: { attempts: 1, base: 1, longest: 10 },
    proxies: { http: `http://${proxy.address}`, https: `http://${proxy.address}` },
    hostRule: async (name) => rules[name],
    namesHost: async (name) => name in rules,
  };
  clients = registryClients(settings);
  return clients.forHost(host);
}

const plain = (host: string): Record<string, HostRule> => ({
  [host]: { mirrors: [], upstream: { host, scheme: 'http' } },
});
const insecure = (host: string): Record<string, HostRule> => ({
  [host]: { mirrors: [], upstream: { host, insecure: true } },
});

const hosts = () => [...new Set(server.requests.map((request) => request.headers.host))];

/** Applies the fault to requests for this host only. */
const at =
  (host: string, fault: Fault): Fault =>
  (request, response) =>
    request.headers.host === host ? fault(request, response) : false;

const upload = (registry: Registry) =>
  registry.putBlob('app', { mediaType: '', digest: digestOf(index), size: index.length }, async () =>
    (async function* () {
      yield index;
    })(),
  );

/** The ways in which an answer leads to another host. */
const WAYS: readonly (readonly [string, (to: string) => Fault, (registry: Registry) => Promise<unknown>])[] = [
  [
    'a redirect of a manifest',
    (to) => status(307, { location: `${to}/x` }),
    (registry) => registry.getManifest('app', 'latest'),
  ],
  [
    'a redirect of a blob',
    (to) => status(302, { location: `${to}/x` }),
    async (registry) => collect((await registry.getBlob('app', digestOf(blob))).body),
  ],
  [
    'a realm',
    (to) => status(401, { 'www-authenticate': `Bearer realm="${to}/token"` }),
    (registry) => registry.getManifest('app', 'latest'),
  ],
  [
    'the location of an upload',
    (to) => (request, response) =>
      status(request.method === 'POST' ? 202 : 404, { location: `${to}/upload` })(request, response),
    upload,
  ],
];

describe.each(WAYS)('%s', (_way, leading, ask) => {
  const refused = async (registry: Registry): Promise<ImagesError> => {
    const error = await failure(ask(registry));
    expect(['BAD_ANSWER', 'UNAUTHORIZED']).toContain(error.code);
    return error;
  };

  it.each(['http://cdn.example', 'http://registry.example.evil.example', 'http://203.0.113.5:5000'])(
    'does not lead from plain http to another host over plain http: %s',
    async (to) => {
      server.inject(at('registry.example', leading(to)));
      const error = await refused(registryAt('registry.example', plain('registry.example')));
      expect(error.message).toContain(new URL(to).host);
      expect(hosts()).toEqual(['registry.example']);
    },
  );

  it.each([
    'https://127.0.0.1:1',
    'https://[::1]:1',
    'http://localhost:1',
    'https://169.254.169.254',
    'https://[::ffff:a9fe:a9fe]',
    'https://0x7f.1:1',
    'https://10.0.0.5:9000',
    'https://[fd12::1]',
  ])('does not lead to loopback, link-local or private addresses: %s', async (to) => {
    server.inject(at('registry.example', leading(to)));
    const error = await refused(registryAt('registry.example', plain('registry.example')));
    expect(error.message).toMatch(/registry\.example leads to a (?:loopback|link-local|private) address/);
    expect(proxy.seen.every((line) => line.includes('registry.example'))).toBe(true);
  });

  it('may lead into a private network if the user named that host, or the answer came from such an address', async () => {
    server.inject(at('registry.example', leading('http://10.0.0.5:9000')));
    const rules = { ...plain('registry.example'), ...insecure('10.0.0.5:9000') };
    await failure(ask(registryAt('registry.example', rules)));
    expect(hosts()).toEqual(['registry.example', '10.0.0.5:9000']);
    await clients[Symbol.asyncDispose]();
    server.inject(at('10.0.0.7', leading('https://10.0.0.5:9000')));
    await failure(ask(registryAt('10.0.0.7', plain('10.0.0.7'))));
    expect(proxy.seen.at(-1)).toBe('CONNECT 10.0.0.5:9000');
  });

  it.each([
    ['marked insecure', insecure('cdn.example')],
    ['told to be plain', plain('cdn.example')],
  ])('may lead to plain http if that host is %s', async (_how, rules) => {
    server.inject(at('registry.example', leading('http://cdn.example')));
    await failure(ask(registryAt('registry.example', { ...plain('registry.example'), ...rules })));
    expect(hosts()).toEqual(['registry.example', 'cdn.example']);
  });

  it('may lead to plain http at the same host, if that is used with it', async () => {
    server.inject(at('registry.example', leading('http://registry.example:8080')));
    await failure(ask(registryAt('registry.example', plain('registry.example'))));
    expect(hosts()).toEqual(['registry.example', 'registry.example:8080']);
  });
});
