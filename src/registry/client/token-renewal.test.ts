import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import type { Registry } from '../contract.ts';
import { type RegistryClients, registryClients } from './registry-clients.ts';
import { blob, collect, digest, failure, index } from './testing/faulty-registry.ts';
import { type Fault, type FaultyServer, sendJson, startFaultyServer, status } from './testing/faulty-server.ts';

let server: FaultyServer;
let clients: RegistryClients;
let registry: Registry;
/** The number of issued tokens. */
let given: number;
/** Tokens up to this number have expired; `refuse` answers requests that use one. */
let ended: number;
let refuse: Fault;

beforeEach(async () => {
  [given, ended] = [0, 0];
  server = await startFaultyServer({ contents: [blob], manifest: { bytes: index, mediaType: OCI_INDEX } });
  server.inject((request, response) => {
    if (request.url.startsWith('/token')) {
      given += 1;
      return sendJson(response, 200, { token: `token-${given}`, expires_in: 3600 });
    }
    const token = Number(/^Bearer token-(\d+)$/.exec(request.headers.authorization ?? '')?.[1] ?? 0);
    if (token === 0)
      return status(401, { 'www-authenticate': `Bearer realm="http://${server.host}/token"` })(request, response);
    if (token <= ended) return refuse(request, response);
    if (request.method === 'POST') return status(202, { location: '/v2/app/blobs/uploads/1' })(request, response);
    if (request.method === 'PUT') return status(201, { 'docker-content-digest': digestOf(index) })(request, response);
    if (request.url.includes('/tags/')) return sendJson(response, 200, { tags: ['latest'] });
    return false;
  });
  clients = registryClients({ temporaryDirectory: tmpdir(), backoff: { attempts: 3, base: 1, longest: 10 } });
  registry = clients.forHost(server.host);
});
afterEach(async () => {
  await clients[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const json = { 'content-type': 'application/json' };
const errors = (code: string, message: string) => JSON.stringify({ errors: [{ code, message }] });
/** Answers to an expired token, none of which is the challenge of the specification. */
const REFUSALS: readonly (readonly [string, Fault])[] = [
  ['401 alone', status(401)],
  ['401 with a code', status(401, json, errors('UNAUTHORIZED', 'token expired'))],
  ['401 with another challenge', status(401, { 'www-authenticate': 'Basic realm="x"' })],
  ['401 with half a challenge', status(401, { 'www-authenticate': 'Bearer service="x' })],
  ['400', status(400, json, errors('DENIED', 'Your authorization token has expired.'))],
  ['403', status(403, json, errors('DENIED', 'requested access to the resource is denied'))],
  ['403 as a web page', status(403, { 'content-type': 'text/html' }, '<h1>Forbidden</h1>')],
  ['404 that means it', status(404, json, errors('UNAUTHORIZED', 'authentication required'))],
  ['498', status(498)],
  ['500 of a token', status(500, json, errors('UNKNOWN', 'token is expired by 2s'))],
];

const descriptor = { mediaType: 'application/octet-stream', digest: digestOf(index), size: index.length };
const WORK: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['a manifest', () => registry.getManifest('app', 'latest')],
  ['a blob', async () => collect((await registry.getBlob('app', digest)).body)],
  ['a list', () => Array.fromAsync(registry.tags('app'))],
  [
    'the put of a manifest',
    () => registry.putManifest('app', { ...descriptor, mediaType: OCI_INDEX, bytes: index }, ['x']),
  ],
];

describe.each(REFUSALS)('a token that ends before its time, by %s,', (_how, fault) => {
  beforeEach(() => {
    refuse = fault;
  });

  it.each(WORK)('is renewed once for %s', async (_what, work) => {
    await work();
    const before = given;
    ended = given;
    await work();
    expect(given - before).toBe(1);
  });

  it('is renewed once for all calls that use it', async () => {
    await registry.getManifest('app', 'latest');
    ended = 1;
    await Promise.all(Array.from({ length: 10 }, () => registry.getManifest('app', 'latest')));
    expect(given).toBe(2);
  });

  it('while a blob is sent is renewed, and the blob sent again', async () => {
    await registry.putManifest('app', { ...descriptor, mediaType: OCI_INDEX, bytes: index }, []);
    const fault = refuse;
    refuse = (request, response) => {
      if (request.method === 'PUT') return fault(request, response);
      return status(request.method === 'HEAD' ? 404 : 202, { location: '/v2/app/blobs/uploads/2' })(request, response);
    };
    const absent = { ...descriptor, digest: digestOf(Buffer.from('another')), size: 7 };
    ended = given;
    const before = given;
    await registry.putBlob('app', absent, async () =>
      (async function* () {
        yield Buffer.from('another');
      })(),
    );
    expect(given - before).toBe(1);
  });

  it('and its successor too, is an error after one renewal', async () => {
    await registry.getManifest('app', 'latest');
    ended = 1000;
    await failure(registry.getManifest('app', 'latest'));
    expect(given).toBe(2);
  });
});

describe('a token that the host has never accepted', () => {
  it.each([400, 401, 403])('is not renewed after %d', async (code) => {
    ended = 1000;
    refuse = status(code);
    expect((await failure(registry.getManifest('app', 'latest'))).status).toBe(code);
    expect(given).toBe(1);
  });
});

describe('a token that was accepted', () => {
  it.each([
    [404, 'not there'],
    [408, 'no token within a minute'],
    [413, 'a token of 5 MB is too large'],
    [416, 'the range ends after the last token'],
    [429, 'no token is left in the bucket'],
    [503, 'not there'],
  ])('is not renewed after %d, %s', async (code, words) => {
    await registry.getManifest('app', 'latest');
    ended = 1000;
    refuse = status(code, json, errors('UNKNOWN', words));
    expect((await failure(registry.getManifest('app', 'latest'))).status).toBe(code);
    expect(given).toBe(1);
  });

  it.each(['MANIFEST_UNKNOWN', 'NAME_UNKNOWN'])(
    'is not renewed after %s of something that has `token` in its name',
    async (code) => {
      await registry.getManifest('app', 'latest');
      ended = 1000;
      const detail = { name: 'app/token-service' };
      refuse = status(404, json, JSON.stringify({ errors: [{ code, message: 'not known', detail }] }));
      expect((await failure(registry.getManifest('app', 'latest'))).status).toBe(404);
      expect(given).toBe(1);
    },
  );
});
