import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import type { Registry } from '../contract.ts';
import { mayOpenAnew } from '../open-anew.ts';
import { type RegistryClients, registryClients } from './registry-clients.ts';
import type { RetryEvent } from './settings.ts';
import { collect, failure, index } from './testing/faulty-registry.ts';
import {
  closeAfter,
  type Fault,
  type FaultyServer,
  hang,
  sendRange,
  startFaultyServer,
  status,
} from './testing/faulty-server.ts';

const small = randomBytes(1000);
const large = randomBytes(2_000_000);
const holding = { contents: [small, large], manifest: { bytes: index, mediaType: OCI_INDEX } };

let host: FaultyServer;
let mirrors: readonly FaultyServer[];
let clients: RegistryClients;
let registry: Registry;
let events: RetryEvent[];

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  host = await startFaultyServer(holding);
  mirrors = [await startFaultyServer(holding), await startFaultyServer(holding)];
  events = [];
  clients = newClients();
  registry = clients.forHost('registry.example.com');
});
afterEach(async () => {
  vi.useRealTimers();
  await clients[Symbol.asyncDispose]();
  for (const server of [host, ...mirrors]) await server[Symbol.asyncDispose]();
});

function newClients(): RegistryClients {
  return registryClients({
    temporaryDirectory: tmpdir(),
    backoff: { attempts: 4, base: 2, longest: 60_000 },
    onRetry: (event) => events.push(event),
    hostRule: async () => ({
      mirrors: mirrors.map((mirror) => ({ host: mirror.host, pulls: 'all' })),
      upstream: { host: host.host },
    }),
  });
}

/** Time passes for the client while a mirror says nothing, and only then: nobody has to wait, and a busy machine may take its time for all others. */
function silently(fault: Fault): Fault {
  return (request, response) => {
    const passing = setInterval(() => vi.advanceTimersByTime(60_000), 5);
    response.once('close', () => clearInterval(passing));
    return fault(request, response);
  };
}

function spoilMirrors(fault: Fault): void {
  for (const mirror of mirrors) mirror.inject(fault);
}

/** Reads a blob like a consumer that can open it again from the start. */
async function read(bytes: Buffer, from = 0): Promise<Buffer> {
  const options = { size: bytes.length, from, opensAnew: true };
  return collect((await registry.getBlob('app', digestOf(bytes), options)).body);
}

const zeros: Fault = (request, response) => {
  sendRange(request, response, Buffer.alloc(request.url.includes(digestOf(large)) ? large.length : small.length));
  return true;
};

const BAD: readonly (readonly [string, Fault])[] = [
  ['fails', status(500)],
  ['is busy for a long time', status(429, { 'retry-after': '50' })],
  ['hangs', silently(hang)],
  ['closes connections', (_request, response) => response.destroy() && true],
  ['sends a web page', status(200, { 'content-type': 'text/html' }, '<html>Log in</html>')],
  ['redirects to nowhere', status(302)],
];

/** Serves a different manifest, by tag and under the digest of the correct one. */
const otherManifest: Fault = (request, response) => {
  const known = request.url.endsWith('latest') || request.url.endsWith(digestOf(index));
  const headers = { 'content-type': OCI_INDEX, 'docker-content-digest': digestOf(index) };
  return status(known ? 200 : 404, headers, '{"schemaVersion":2,"manifests":[]}')(request, response);
};

describe('a mirror that', () => {
  it.each([
    ...BAD,
    ['has another manifest', otherManifest],
    ['has no manifest', status(200, { 'content-type': OCI_INDEX }, '{"schemaVersion":2,"mediaType":"application/x"}')],
    ['has half a manifest', status(200, { 'content-type': OCI_INDEX }, index.toString().slice(0, 40))],
  ] as const)('%s is replaced by the host for a manifest', async (_what, fault) => {
    spoilMirrors(fault);
    expect((await registry.getManifest('app', 'latest')).digest).toBe(digestOf(index));
    expect((await registry.getManifest('app', digestOf(index))).digest).toBe(digestOf(index));
    expect(await registry.statManifest('app', 'latest')).toBeDefined();
  });

  it.each([
    ...BAD,
    ['sends other bytes', zeros],
    ['sends too few', status(200, {}, 'few')],
    ['sends a part of what was asked for', status(206, { 'content-range': 'bytes 7-9/10' }, 'few')],
    ['is in the middle of a blob when it goes away', closeAfter(500, small)],
  ] as const)('%s is replaced by the host for a small blob', async (_what, fault) => {
    spoilMirrors(fault);
    expect((await read(small)).equals(small)).toBe(true);
    expect(events.length).toBeGreaterThan(0);
    // The client gives up on a mirror after two requests at most.
    expect(mirrors.every(({ requests }) => requests.length <= 2)).toBe(true);
  });

  it.each(BAD)('%s is replaced by the host for a large blob', async (_what, fault) => {
    spoilMirrors(fault);
    expect((await read(large)).equals(large)).toBe(true);
    expect((await read(large, 70_000)).equals(large.subarray(70_000))).toBe(true);
  });

  it('breaks off again and again is replaced by the next route for the rest', async () => {
    mirrors[0]?.inject(closeAfter(30_000, large));
    mirrors[1]?.inject(closeAfter(20_000, large));
    expect((await read(large)).equals(large)).toBe(true);
    const ranges = host.requests.map(({ headers }) => headers.range);
    expect(ranges).toEqual(['bytes=100000-']);
  });

  it('falls silent in the middle is replaced by the next route for the rest', async () => {
    spoilMirrors(
      silently((_request, response) => {
        response.writeHead(200, { 'content-length': large.length });
        response.write(large.subarray(0, 10_000));
        return true;
      }),
    );
    expect((await read(large)).equals(large)).toBe(true);
  });

  it('sends wrong bytes of a large blob is not asked for it again when the reader opens it anew', async () => {
    spoilMirrors(zeros);
    for (const mirror of mirrors) {
      const error = await failure(read(large));
      expect(error.code).toBe('DIGEST_INVALID');
      expect(error.message).toContain(mirror.host);
      expect(mayOpenAnew(error)).toBe(true);
    }
    expect((await read(large)).equals(large)).toBe(true);
    // Other blobs are still requested from that mirror.
    spoilMirrors(() => false);
    await read(small);
    expect(mirrors[0]?.requests).toHaveLength(1);
  });

  it('sends wrong bytes of a large blob is detected before a reader that cannot open it anew gets any', async () => {
    spoilMirrors(zeros);
    const { body } = await registry.getBlob('app', digestOf(large));
    expect((await collect(body)).equals(large)).toBe(true);
    expect(events.map(({ what }) => what)).toEqual(mirrors.map((mirror) => `mirror ${mirror.host}`));
  });

  it('sends wrong bytes and then breaks off is detected in the end', async () => {
    mirrors[0]?.inject((request, response) => closeAfter(100_000, Buffer.alloc(large.length))(request, response));
    mirrors[1]?.inject(status(404));
    const error = await failure(read(large));
    expect(error.code).toBe('DIGEST_INVALID');
    expect(mayOpenAnew(error)).toBe(true);
    expect((await read(large)).equals(large)).toBe(true);
  });

  it('fails like the host does not hide the host’s own error', async () => {
    spoilMirrors(zeros);
    host.inject(zeros);
    const error = await failure(read(small));
    expect(error.code).toBe('DIGEST_INVALID');
    expect(error.message).toContain(host.host);
    expect(mayOpenAnew(error)).toBe(false);
  });

  it('lists no tags is replaced by the host for tags', async () => {
    spoilMirrors(status(200, { 'content-type': 'application/json' }, '{"tags":"many"}'));
    host.inject(status(200, { 'content-type': 'application/json' }, '{"tags":["a"]}'));
    expect(await Array.fromAsync(registry.tags('app'))).toEqual(['a']);
  });
});
