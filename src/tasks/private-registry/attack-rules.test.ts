// Attacks on rules: other spellings, other headers, other ways of HTTP, and what others have begun. Over real sockets, with HTTP/1.1 and HTTP/2.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { askHttp2 } from '../../server/testing/secure.ts';
import { ANNA, type Besieged, BOB, basic, besieged } from './testing/besieged.ts';

let registry: Besieged;

beforeAll(async () => {
  registry = await besieged({ tls: true });
});
beforeEach(() => registry.restore());
afterAll(() => registry[Symbol.asyncDispose]());

/** Of the manifest `team/app:1`, which bob may not see. */
const SPELLINGS = [
  '/v2/team/app/manifests/1',
  '/v2/team%2Fapp/manifests/1',
  '/v2/team%2fapp%2fmanifests%2f1',
  '/v2/team%252Fapp/manifests/1',
  '/v2/%74eam/app/manifests/1',
  '/v2/TEAM/app/manifests/1',
  '/v2/Team/App/manifests/1',
  '/v2//team/app/manifests/1',
  '/v2/team//app/manifests/1',
  '/v2/./team/app/manifests/1',
  '/v2/own/../team/app/manifests/1',
  '/v2/own/%2e%2e/team/app/manifests/1',
  '/v2/own/app/manifests/../../../team/app/manifests/1',
  '/v2/own/app/blobs/../../../team/app/manifests/1',
  '/v2/own/..%2fteam/app/manifests/1',
  '/v2/team/app/manifests/%31',
  '/v2/team/app/manifests/1?ns=docker.io',
  '/v2/team/app/manifests/1?ns=own',
  '/v2/team/app/manifests/1?ns=..%2Fown',
  '/v2/app/manifests/1?ns=team',
  '/v2/docker.io/team/app/manifests/1',
  '/v2/index.docker.io/team/app/manifests/1',
  '/v2/docker.io/team/app/manifests/1?ns=docker.io',
  '/v2/library/../team/app/manifests/1',
  '/v2/own\\..\\team/app/manifests/1',
  '/v2/team/app;x/manifests/1',
  '/v2/team/app%00/manifests/1',
  '/v2/team/app%0d%0a/manifests/1',
  '/v2/team/app./manifests/1',
  '/v2/team%E2%81%84app/manifests/1',
  '/V2/team/app/manifests/1',
  '/v2/team/app/manifests/1/',
  '/v2/team/app/tags/list?ns=docker.io',
  '/v2/docker.io/team/app/tags/list',
];

it('no spelling of a name opens what it names, for whoever may not, and none leads to a write there', async () => {
  const { raw, call, secret, http2 } = registry;
  const session = await http2();
  const isShut = (status: number, text: string, what: string) => {
    expect([400, 401, 403, 404, 405], what).toContain(status);
    expect(text, what).not.toContain(secret.digest);
    expect(text, what).not.toContain(secret.layer);
  };
  for (const path of SPELLINGS) {
    const asked = ['', `Authorization: ${BOB}\r\n`].flatMap((authorization) =>
      [path, `http://own.example${path}`, `http://anna:secret@reg${path}`].map(async (target) => {
        const { status, text } = await raw(
          `GET ${target} HTTP/1.1\r\nHost: reg:5000\r\nConnection: close\r\n${authorization}\r\n`,
        );
        isShut(status, text, `${target} ${authorization}`);
      }),
    );
    await Promise.all(asked);
    const answer = await askHttp2(session, { ':path': path, authorization: BOB });
    if (answer.status !== 0) isShut(answer.status, answer.body.toString(), `HTTP/2 ${path}`);
  }
  for (const path of SPELLINGS) {
    const asked = ['PUT', 'DELETE', 'POST', 'PATCH'].map(async (method) => {
      isShut(...resultOf(await call(method, new URL(path, 'http://a').pathname, BOB)), `${method} ${path}`);
    });
    await Promise.all(asked);
  }
  expect((await call('GET', '/v2/team/app/tags/list', ANNA)).json()).toEqual({ name: 'team/app', tags: ['1'] });
  expect((await call('GET', '/v2/team/app/manifests/1', ANNA)).headers['docker-content-digest']).toBe(secret.digest);
});
const resultOf = ({ status, text }: { status: number; text: string }): [number, string] => [status, text];

it('the fields of HTTP/2 that are not headers name nothing: not the user, not the host, not the repository', async () => {
  const { http2 } = registry;
  const session = await http2();
  const statusOf = async (headers: Record<string, string>) =>
    (await askHttp2(session, { authorization: BOB, ':path': '/v2/team/app/manifests/1', ...headers })).status;
  expect(await statusOf({})).toBe(403);
  // Refused by the library below.
  expect(await statusOf({ ':authority': 'anna:secret@reg' })).toBe(0);
  expect(await statusOf({ ':authority': 'own' })).toBe(403);
  expect(await statusOf({ ':scheme': 'own', ':path': '/v2/team/app/manifests/1' })).toBe(403);
  expect(await statusOf({ host: 'own', ':authority': 'reg' })).toBe(403);
  expect(await statusOf({ ':scheme': 'own', ':path': 'v2/team/app/manifests/1' })).toBe(404);
  expect(await statusOf({ ':scheme': 'own', ':path': 'http://own/v2/team/app/manifests/1' })).toBe(403);
  expect(await statusOf({ ':path': '/v2/own/app/manifests/1' })).toBe(200);
});

it('several credentials are those of one asker: of the first header, or of none', async () => {
  const { raw } = registry;
  const statusOf = async (path: string, ...lines: readonly string[]) =>
    (
      await raw(
        `GET ${path} HTTP/1.1\r\nHost: reg:5000\r\nConnection: close\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`,
      )
    ).status;
  const both = [`Authorization: ${BOB}`, `Authorization: ${ANNA}`];
  expect(await statusOf('/v2/team/app/manifests/1', ...both)).toBe(403);
  expect(await statusOf('/v2/own/app/manifests/1', ...both)).toBe(200);
  expect(await statusOf('/v2/team/app/manifests/1', `Authorization: ${BOB}, ${ANNA}`)).toBe(401);
  expect(await statusOf('/v2/team/app/manifests/1', 'Authorization: ', `Authorization: ${ANNA}`)).toBe(401);
  expect(await statusOf('/v2/team/app/manifests/1', `Proxy-Authorization: ${ANNA}`)).toBe(401);
  expect(await statusOf('/v2/team/app/manifests/1', `Authorization: Basic ${'A'.repeat(20_000)}`)).toBe(401);
  for (const [user, password] of [
    ['anna', ''],
    ['', 'secret'],
    ['anna\0', 'secret'],
    ['ANNA', 'secret'],
    [' anna', 'secret'],
    ['anna', 'secret\0'],
    ['anna:secret', ''],
  ] as const) {
    expect(await statusOf('/v2/team/app/manifests/1', `Authorization: ${basic(user, password)}`)).not.toBe(200);
  }
});

it('no header gives the rights of this machine to who comes from elsewhere by way of it', async () => {
  const { call } = registry;
  const pushed = async (headers: Record<string, string>) =>
    (await call('POST', '/v2/lab/app/blobs/uploads/', undefined, { headers })).status;
  expect(await pushed({})).toBe(202);
  for (const headers of [
    { 'X-Forwarded-For': '203.0.113.9' },
    { 'X-Forwarded-For': '127.0.0.1, 203.0.113.9' },
    { 'X-Forwarded-For': '' },
    { 'X-Forwarded-For': 'localhost' },
    { Forwarded: 'for=127.0.0.1' },
    { Via: '1.1 proxy' },
    { 'X-Real-IP': '127.0.0.1' },
  ]) {
    expect(await pushed(headers), JSON.stringify(headers)).toBe(401);
  }
});

it('what one may not pull is neither mounted, nor named by a manifest of one’s own, nor found as a referrer', async () => {
  const { call, secret } = registry;
  for (const query of [
    `mount=${secret.layer}&from=team/app`,
    `mount=${secret.layer}&from=team%2Fapp`,
    `mount=${secret.layer}&from=docker.io/team/app`,
    `mount=${secret.layer}`,
    `mount=${secret.layer}&from=own/app&from=team/app`,
    `mount=${secret.layer}&from=`,
    `mount=${secret.layer}&from=public/app`,
    `mount=${secret.layer}&from=own/other`,
    `mount=${secret.digest}&from=own/app`,
  ]) {
    expect((await call('POST', `/v2/own/app/blobs/uploads/?${query}`, BOB)).status, query).toBe(202);
  }
  // Nor taken for one's own without its bytes.
  for (const digest of [secret.layer, secret.digest]) {
    expect((await call('POST', `/v2/own/app/blobs/uploads/?digest=${digest}`, BOB)).status).toBe(400);
    const place = (await call('POST', '/v2/own/app/blobs/uploads/', BOB)).headers.location;
    expect((await call('PUT', `${new URL(place ?? '', 'http://a').pathname}?digest=${digest}`, BOB)).status).toBe(400);
    expect((await call('HEAD', `/v2/own/app/blobs/${digest}`, BOB)).status).toBe(404);
    expect((await call('HEAD', `/v2/own/app/manifests/${digest}`, BOB)).status).toBe(404);
  }
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const stolen = (await call('GET', '/v2/team/app/manifests/1', ANNA)).text;
  const put = (path: string, body: string) => call('PUT', path, BOB, { body, headers: { 'content-type': type } });
  expect((await put('/v2/own/app/manifests/stolen', stolen)).json()).toMatchObject({
    errors: [{ code: 'MANIFEST_BLOB_UNKNOWN' }],
  });
  const index = { schemaVersion: 2, manifests: [{ mediaType: type, digest: secret.digest, size: stolen.length }] };
  const indexType = 'application/vnd.oci.image.index.v1+json';
  const indexed = { body: JSON.stringify(index), headers: { 'content-type': indexType } };
  // An index may name what is not there; it opens nothing.
  expect((await call('PUT', '/v2/own/app/manifests/index', BOB, indexed)).status).toBe(201);
  expect((await call('GET', `/v2/own/app/manifests/${secret.digest}`, BOB)).status).toBe(404);
  expect((await call('GET', `/v2/own/app/blobs/${secret.layer}`, BOB)).status).toBe(404);
  const own = JSON.parse((await call('GET', '/v2/own/app/manifests/1', BOB)).text);
  const subject = { mediaType: type, digest: secret.digest, size: stolen.length };
  expect((await put('/v2/own/app/manifests/signature', JSON.stringify({ ...own, subject }))).status).toBe(201);
  expect((await call('GET', `/v2/team/app/referrers/${secret.digest}`, ANNA)).json()).toMatchObject({ manifests: [] });
  expect((await call('GET', `/v2/team/app/referrers/${secret.digest}`, BOB)).status).toBe(403);
  expect((await call('GET', '/v2/_catalog', BOB)).json()).toEqual({ repositories: ['own/app', 'public/app'] });
  expect((await call('GET', '/v2/_catalog?last=own/app&n=5', BOB)).json()).toEqual({ repositories: ['public/app'] });
});

it('an upload is continued by those alone who may push there, whoever knows its name', async () => {
  const { call, machineToken, tokenFor } = registry;
  const begun = await call('POST', '/v2/team/app/blobs/uploads/', ANNA);
  const place = new URL(begun.headers.location ?? '', 'http://a').pathname;
  const id = place.split('/').at(-1);
  const { token: machine } = await machineToken({ pull: ['team/**'], push: ['own/**'] });
  const { token: pulls } = await tokenFor(ANNA, 'repository:team/app:pull');
  const digest = `sha256:${'0'.repeat(64)}`;
  const asked = [
    ['GET', ''],
    ['PATCH', ''],
    ['PUT', `?digest=${digest}`],
    ['DELETE', ''],
  ] as const;
  for (const [method, query] of asked) {
    const body = method === 'GET' || method === 'DELETE' ? {} : { body: 'bad' };
    const statusOf = async (at: string, who?: string) => (await call(method, `${at}${query}`, who, body)).status;
    expect(await statusOf(place), method).toBe(401);
    for (const other of [BOB, `Bearer ${machine}`]) expect(await statusOf(place, other)).toBe(403);
    expect(await statusOf(place, `Bearer ${pulls}`)).toBe(401);
    // Nor by way of a repository of one's own.
    expect(await statusOf(`/v2/own/app/blobs/uploads/${id}`, BOB), method).toBe(404);
  }
  const good = 'good';
  expect((await call('PATCH', place, ANNA, { body: good })).headers.range).toBe('0-3');
  const right = 'sha256:770e607624d689265ca6c44884d0807d9b054d23c473c106c72be9de08b7376c';
  expect((await call('PUT', `${place}?digest=${right}`, ANNA)).status).toBe(201);
  expect((await call('GET', `/v2/team/app/blobs/${right}`, ANNA)).text).toBe(good);
  expect((await call('GET', `/v2/own/app/blobs/${right}`, BOB)).status).toBe(404);
});
