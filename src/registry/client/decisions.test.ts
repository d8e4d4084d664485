import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OCI_INDEX } from '../../oci/media-types.ts';
import { type RegistryClients, registryClients } from './registry-clients.ts';
import type { ClientDecision, ClientSettings } from './settings.ts';
import { index } from './testing/faulty-registry.ts';
import { type FaultyServer, startFaultyServer, status } from './testing/faulty-server.ts';

const holding = { contents: [], manifest: { bytes: index, mediaType: OCI_INDEX } };

let host: FaultyServer;
let mirror: FaultyServer;
let clients: RegistryClients | undefined;
let decisions: ClientDecision[];

beforeEach(async () => {
  host = await startFaultyServer(holding);
  mirror = await startFaultyServer(holding);
  decisions = [];
});
afterEach(async () => {
  await clients?.[Symbol.asyncDispose]();
  for (const server of [host, mirror]) await server[Symbol.asyncDispose]();
});

function registry(name: string, settings: Partial<ClientSettings> = {}) {
  clients = registryClients({
    temporaryDirectory: tmpdir(),
    backoff: { attempts: 1, base: 1, longest: 10 },
    onDecision: (decision) => decisions.push(decision),
    ...settings,
  });
  return clients.forHost(name);
}

/** Settings with one mirror, at this address. */
const mirrored = (address: string) => ({
  hostRule: async () => ({ mirrors: [{ host: address, pulls: 'all' as const }], upstream: { host: host.host } }),
});
/** An address at which nothing listens. */
const NOBODY = '127.0.0.1:1';

describe('events about the decisions of a client', () => {
  it('name the mirror that answers', async () => {
    await registry('quay.io', mirrored(mirror.host)).getManifest('app', 'latest');
    expect(decisions.filter(({ type }) => type !== 'scheme')).toEqual([
      { type: 'routes', host: 'quay.io', repository: 'app', order: [mirror.host, 'quay.io'], resting: [] },
      { type: 'answered', host: 'quay.io', repository: 'app', by: mirror.host },
    ]);
  });

  it('say which mirror is skipped and why, and that an unreachable one is not asked for a while', async () => {
    const quay = registry('quay.io', mirrored(NOBODY));
    await quay.getManifest('app', 'latest');
    expect(decisions).toContainEqual({
      type: 'passed-over',
      host: 'quay.io',
      by: NOBODY,
      error: expect.objectContaining({ code: 'UNREACHABLE' }),
    });
    expect(decisions).toContainEqual({ type: 'answered', host: 'quay.io', repository: 'app', by: 'quay.io' });
    decisions = [];
    await quay.getManifest('app', 'latest');
    expect(decisions).toEqual([
      { type: 'routes', host: 'quay.io', repository: 'app', order: ['quay.io'], resting: [NOBODY] },
    ]);
  });

  it('name the file of the credentials but not its content, once for each repository; and the files without any', async () => {
    const basic = status(401, { 'www-authenticate': 'Basic realm="x"' });
    host.inject((request, response) => (request.headers.authorization ? false : basic(request, response)));
    const credentials = {
      searched: ['/f'],
      find: async (_host: string, repository: string | undefined) =>
        repository === 'app'
          ? ({ type: 'password', username: 'me', password: 'a secret', origin: '/f' } as const)
          : undefined,
    };
    const own = registry(host.host, { credentials });
    await own.getManifest('app', 'latest');
    await own.getManifest('app', 'latest');
    await expect(own.getManifest('other', 'latest')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    const told = decisions.filter(({ type }) => type === 'credentials');
    expect(told).toEqual([
      { type: 'credentials', host: host.host, repository: 'app', searched: ['/f'], used: 'those of [me] from /f' },
      { type: 'credentials', host: host.host, repository: 'other', searched: ['/f'] },
    ]);
    expect(JSON.stringify(told)).not.toContain('a secret');
  });
});
