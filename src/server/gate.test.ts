// Who is let through, over HTTP: the same requests by nobody, by a user who may, and by one who may not.
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { unknownClient } from '../access/asker-address.ts';
import type { AccessControl, Asker, RequestHead } from '../access/contract.ts';
import { permitted } from '../access/permitted.ts';
import { permittedNames } from '../access/permitted-names.ts';
import { type AccessRule, mayDo } from '../access/rules.ts';
import { ImagesError } from '../oci/errors.ts';
import { memoryStore } from '../storage/drivers/staged-store.ts';
import { registryStore } from '../storage/registry-store.ts';
import { type Answer, ask } from './testing/ask.ts';
import { type Image, putImage } from './testing/content.ts';
import { startServer, type TestServer } from './testing/start.ts';

const RULES: readonly AccessRule[] = [
  { repositories: 'free/**', allow: ['pull'] },
  { repositories: 'team/**', users: ['anna'], allow: ['pull', 'push', 'delete'] },
  { repositories: 'in/**', users: ['*'], allow: ['push'] },
];

/** Users say their names in a header; the user `nobody-else` is unknown. */
function accessOf(rules: readonly AccessRule[], canLogIn = true): AccessControl {
  return {
    identify: ({ headers, address }): Asker => {
      const user = headers['x-user'];
      const scope = headers['x-scope'];
      if (typeof user === 'string' && typeof scope === 'string') {
        return { via: 'token', user, address, scopes: [{ repositories: scope, actions: ['pull'] }] };
      }
      if (user === 'nobody-else') throw new ImagesError('UNAUTHORIZED', 'wrong user name or password');
      return typeof user === 'string' ? { via: 'password', user, address } : { via: 'nobody', address };
    },
    mayDo: (asker, action, repository) => mayDo({ rules }, asker, action, repository),
    hasToLogIn: ({ via }) => canLogIn && via === 'nobody',
    challenge: ({ headers }, scope) =>
      canLogIn ? `Bearer realm="http://${headers.host}/token",scope="${scope}"` : undefined,
  };
}

let server: TestServer;
let image: Image;
const call = (method: string, path: string, user?: string): Promise<Answer> =>
  ask(`${server.url}${path}`, method, { headers: user === undefined ? {} : { 'x-user': user } });
const statuses = async (method: string, path: string) => [
  (await call(method, path)).status,
  (await call(method, path, 'bob')).status,
  (await call(method, path, 'anna')).status,
];

async function start(access: AccessControl): Promise<void> {
  const store = registryStore(memoryStore(), {
    policy: (repositories) => permitted(repositories, access.mayDo),
    namesPolicy: (names) => permittedNames(names, access.mayDo),
  });
  image = await putImage(store.stripped, 'team/app', '1');
  await putImage(store.stripped, 'free/app', '1');
  server = await startServer(store.registry, {}, { access });
  onTestFinished(() => server[Symbol.asyncDispose]());
}

beforeEach(() => start(accessOf(RULES)));

describe('the gate', () => {
  it('asks nobody to log in, forbids to those who may not, and lets pass who may', async () => {
    const { digest } = image.manifest;
    const blob = image.blobs[0]?.descriptor.digest ?? digest;
    for (const path of ['manifests/1', `manifests/${digest}`, `blobs/${blob}`, 'tags/list', `referrers/${digest}`]) {
      expect(await statuses('GET', `/v2/team/app/${path}`), path).toEqual([401, 403, 200]);
      expect(await statuses('HEAD', `/v2/team/app/${path}`), path).toEqual([401, 403, 200]);
    }
    expect(await statuses('POST', '/v2/team/app/blobs/uploads/')).toEqual([401, 403, 202]);
    expect(await statuses('POST', `/v2/team/new/blobs/uploads/?mount=${blob}&from=team/app`)).toEqual([401, 403, 201]);
    expect(await statuses('GET', '/v2/team/app/blobs/uploads/some-id')).toEqual([401, 403, 404]);
    expect(await statuses('PUT', '/v2/team/app/manifests/2')).toEqual([401, 403, 400]);
    expect(await statuses('DELETE', '/v2/team/app/manifests/1')).toEqual([401, 403, 202]);
    expect(await statuses('DELETE', `/v2/team/app/manifests/${digest}`)).toEqual([401, 403, 202]);
  });

  it('answers the same whether what may not be seen is there or not', async () => {
    for (const path of ['manifests/1', `manifests/sha256:${'0'.repeat(64)}`, 'tags/list']) {
      for (const user of [undefined, 'bob']) {
        const there = await call('GET', `/v2/team/app/${path}`, user);
        const absent = await call('GET', `/v2/team/none/${path}`, user);
        expect(absent.status).toBe(there.status);
        expect(absent.text.replaceAll('team/none', 'team/app')).toBe(there.text);
      }
    }
  });

  it('takes no spelling of a name, no ns, for another name', async () => {
    const ways = [
      '/v2/docker.io/team/app/manifests/1',
      '/v2/team/app/manifests/1?ns=docker.io',
      '/v2/team%2Fapp/manifests/1',
      '/v2/%74eam/app/manifests/1',
      '/v2/free/../team/app/manifests/1',
      '/v2/free/%2e%2e/team/app/manifests/1',
      '/v2//team/app/manifests/1',
      '/v2/TEAM/app/manifests/1',
      '/v2/./team/app/manifests/1',
      'http://elsewhere/v2/team/app/manifests/1',
    ];
    for (const way of ways)
      expect([400, 401, 404], way).toContain((await call('GET', way.replace(/^http.*(\/v2.*)/, '$1'))).status);
  });

  it('lets everybody read what is free, and says what is missing there', async () => {
    expect(await statuses('GET', '/v2/free/app/manifests/1')).toEqual([200, 200, 200]);
    expect(await statuses('GET', '/v2/free/app/manifests/none')).toEqual([404, 404, 404]);
    expect(await statuses('DELETE', '/v2/free/app/manifests/1')).toEqual([401, 403, 403]);
  });

  it('lets a client that may only push ask what is there before', async () => {
    expect((await call('HEAD', `/v2/in/app/blobs/sha256:${'0'.repeat(64)}`, 'bob')).status).toBe(404);
    expect((await call('HEAD', '/v2/in/app/manifests/1', 'bob')).status).toBe(403);
  });

  it('says what is missing in a repository that one may use, where another spelling of its name is forbidden', async () => {
    const absent = `sha256:${'0'.repeat(64)}`;
    await start(accessOf([{ repositories: 'quay.io/**', users: ['anna'], allow: ['pull', 'push', 'delete'] }], false));
    expect(await statuses('HEAD', `/v2/quay.io/team/app/blobs/${absent}`)).toEqual([403, 403, 404]);
    expect(await statuses('GET', '/v2/quay.io/team/app/manifests/1')).toEqual([403, 403, 404]);
    expect(await statuses('GET', '/v2/quay.io/team/app/manifests/1?ns=docker.io')).toEqual([403, 403, 404]);
    expect(await statuses('GET', `/v2/quay.io/team/app/referrers/${absent}`)).toEqual([403, 403, 200]);
    expect(await statuses('DELETE', '/v2/quay.io/team/app/manifests/1')).toEqual([403, 403, 404]);
  });

  it('lets a client that may only push ask what is there under a name with a host', async () => {
    await start(accessOf([{ repositories: 'quay.io/**', users: ['anna'], allow: ['push'] }]));
    const path = `/v2/quay.io/team/app/blobs/sha256:${'0'.repeat(64)}`;
    expect(await statuses('HEAD', path)).toEqual([401, 403, 404]);
    expect(await statuses('GET', path)).toEqual([401, 403, 403]);
  });

  it('says what is missing to a client that may only delete', async () => {
    await start(accessOf([{ repositories: 'team/**', users: ['anna'], allow: ['delete'] }]));
    expect(await statuses('DELETE', '/v2/team/app/manifests/none')).toEqual([401, 403, 404]);
    expect(await statuses('DELETE', '/v2/team/app/manifests/1')).toEqual([401, 403, 202]);
  });

  it('lets several ranges pass, which are read while the answer is sent', async () => {
    const [blob] = image.blobs;
    if (!blob) throw new Error('the image has no blob');
    const answer = await ask(`${server.url}/v2/team/app/blobs/${blob.descriptor.digest}`, 'GET', {
      headers: { 'x-user': 'anna', range: 'bytes=0-1,4-5' },
    });
    expect(answer.status).toBe(206);
    expect(answer.headers['content-type']).toContain('multipart/byteranges');
    expect(answer.body.includes(blob.bytes.subarray(4, 6))).toBe(true);
  });

  it('shows in the catalogue what one may pull', async () => {
    expect((await call('GET', '/v2/_catalog')).json()).toEqual({ repositories: ['free/app'] });
    expect((await call('GET', '/v2/_catalog', 'anna')).json()).toEqual({ repositories: ['free/app', 'team/app'] });
  });

  it('asks nobody to log in for a catalogue that shows nothing, whether there is something or not', async () => {
    const rules: readonly AccessRule[] = [{ repositories: 'team/**', users: ['anna'], allow: ['pull'] }];
    await start(accessOf(rules));
    expect(await statuses('GET', '/v2/_catalog')).toEqual([401, 200, 200]);
    expect((await call('GET', '/v2/_catalog')).headers['www-authenticate']).toContain('scope="registry:catalog:*"');
    expect(await statuses('GET', '/v2/_catalog?n=0')).toEqual([200, 200, 200]);
    await start(accessOf(rules, false));
    expect((await call('GET', '/v2/_catalog')).status).toBe(403);
    const open = accessOf([{ repositories: '**', allow: ['pull'] }]);
    const empty = await startServer(registryStore(memoryStore()).registry, {}, { access: open });
    onTestFinished(() => empty[Symbol.asyncDispose]());
    expect((await ask(`${empty.url}/v2/_catalog`, 'GET')).status).toBe(200);
  });

  it('names in its challenge what a token is needed for', async () => {
    const challenge = async (method: string, path: string) => (await call(method, path)).headers['www-authenticate'];
    expect(await challenge('GET', '/v2/team/app/manifests/1')).toContain('scope="repository:team/app:pull"');
    expect(await challenge('POST', '/v2/team/app/blobs/uploads/')).toContain('scope="repository:team/app:pull,push"');
    expect(await challenge('DELETE', '/v2/team/app/manifests/1')).toContain('scope="repository:team/app:pull,delete"');
    const digest = image.manifest.digest;
    expect(await challenge('POST', `/v2/team/new/blobs/uploads/?mount=${digest}&from=team/app`)).toContain(
      'scope="repository:team/new:pull,push repository:team/app:pull"',
    );
  });

  it('asks for another token where the user may, and the token is not for that', async () => {
    const withToken = (method: string, path: string, user: string) =>
      ask(`${server.url}${path}`, method, { headers: { 'x-user': user, 'x-scope': 'team/app' } });
    expect((await withToken('GET', '/v2/team/app/manifests/1', 'anna')).status).toBe(200);
    const refused = await withToken('DELETE', '/v2/team/app/manifests/1', 'anna');
    expect(refused.status).toBe(401);
    expect(refused.headers['www-authenticate']).toContain('scope="repository:team/app:pull,delete"');
    const other = await withToken('GET', '/v2/team/other/manifests/1', 'anna');
    expect(other.headers['www-authenticate']).toContain('scope="repository:team/other:pull"');
    // No token helps who may not.
    for (const method of ['GET', 'DELETE']) {
      expect((await withToken(method, '/v2/team/other/manifests/1', 'bob')).status).toBe(403);
    }
  });

  it('lets wrong credentials pass nowhere but at pages for people, also where nobody needs any', async () => {
    expect((await call('GET', '/v2/free/app/manifests/1', 'nobody-else')).status).toBe(401);
    expect((await call('GET', '/v2/', 'nobody-else')).status).toBe(401);
    expect((await call('GET', '/healthz', 'nobody-else')).status).toBe(200);
  });

  it('lets nobody in at /v2/ where one can log in, so that logging in tries the password', async () => {
    expect(await statuses('GET', '/v2/')).toEqual([401, 200, 200]);
    expect((await call('GET', '/')).status).toBe(200);
  });

  it('tells the log who asked', async () => {
    await call('GET', '/v2/team/app/manifests/1', 'anna');
    await call('GET', '/v2/team/app/manifests/1');
    expect(server.events.map((event) => (event.type === 'request' ? event.user : event.type))).toEqual([
      'anna',
      undefined,
    ]);
  });
});

it('the log has the address and the user of who was refused, as the access control knows them', async () => {
  const tokens = async () => ({ status: 401, body: Buffer.from('{}'), tried: 'bob' });
  await start({
    ...accessOf(RULES),
    unknown: ({ address }) => ({ address: `${address} by way of a proxy`, tried: 'anna' }),
    endpoint: ({ url }) => (url === '/images/token' ? tokens() : undefined),
  });
  await call('GET', '/v2/', 'nobody-else');
  const answer = await call('POST', '/images/token');
  expect(answer).toMatchObject({ status: 401, text: '{}' });
  await call('GET', '/v2/', 'anna');
  const remote = '127.0.0.1 by way of a proxy';
  expect(server.events).toMatchObject([
    { remote, tried: 'anna', status: 401 },
    { remote, tried: 'bob', status: 401 },
    { remote: '127.0.0.1', user: 'anna', status: 200 },
  ]);
});

describe('the gate of a registry where nobody can log in', () => {
  it('forbids, without asking for a login', async () => {
    await start(accessOf([{ repositories: '**', allow: ['pull'] }], false));
    expect((await call('GET', '/v2/')).status).toBe(200);
    const refused = await call('DELETE', '/v2/team/app/manifests/1');
    expect(refused.status).toBe(403);
    expect(refused.headers['www-authenticate']).toBeUndefined();
    expect(refused.json()).toMatchObject({
      errors: [{ code: 'DENIED', message: 'delete is not allowed from 127.0.0.1 [team/app]' }],
    });
  });

  it('tells the HTTP version of a request, and who is refused behind a proxy what is missing', async () => {
    const access = accessOf([{ repositories: '**', allow: ['pull'] }], false);
    const versions: (string | undefined)[] = [];
    const identify = ({ httpVersion }: RequestHead): Asker => {
      versions.push(httpVersion);
      return { via: 'nobody', address: unknownClient('127.0.0.1') };
    };
    await start({ ...access, identify });
    expect((await call('DELETE', '/v2/team/app/manifests/1')).json()).toMatchObject({
      errors: [
        {
          message: 'delete is not allowed from proxy:127.0.0.1 [team/app]',
          detail: { hint: expect.stringContaining('--trusted-proxies') },
        },
      ],
    });
    expect(versions).toEqual(['1.1']);
  });
});

it('pages for operators are for who may pull everything', async () => {
  const all: readonly AccessRule[] = [{ repositories: '**', users: ['anna'], allow: ['pull'] }];
  const operators = { metrics: () => ({ status: 200 }), isOpen: () => isOpen };
  let isOpen = false;
  server = await startServer(registryStore(memoryStore()).registry, {}, { access: accessOf(all), operators });
  onTestFinished(() => server[Symbol.asyncDispose]());
  expect(await statuses('GET', '/metrics')).toEqual([401, 403, 200]);
  expect(await statuses('GET', '/images/events')).toEqual([401, 403, 404]);
  expect(await statuses('POST', '/metrics')).toEqual([405, 405, 405]);
  isOpen = true;
  expect(await statuses('GET', '/metrics')).toEqual([200, 200, 200]);
});
