import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../test/testing/eventually.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { type FaultyServer, startFaultyServer } from '../../registry/client/testing/faulty-server.ts';
import { formatListenAddress } from '../../server/address.ts';
import { type Image, image, putImage } from '../../server/testing/content.ts';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import { canMount, smallDisk } from '../../storage/testing/directories.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { type ServedRegistry, type ServeRequest, serveRegistry } from './serve-registry.ts';

let world: TemporaryWorld;
let upstream: FaultyServer;
let content: Image;
const served: ServedRegistry[] = [];
const notices: string[] = [];
const told: string[] = [];

beforeEach(async () => {
  world = await temporaryWorld();
  content = image();
  upstream = await startFaultyServer({
    contents: content.blobs.map(({ bytes }) => bytes),
    manifest: content.manifest,
  });
  notices.length = 0;
  told.length = 0;
});
afterEach(async () => {
  for (const one of served.splice(0)) await one[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

async function start(request: Partial<ServeRequest> = {}, data = 'data'): Promise<string> {
  const one = await serveRegistry(
    {
      listen: ['127.0.0.1:0'],
      version: '1',
      onObservation: (one) => (one.type === 'notice' ? notices.push(one.text) : told.push(one.type)),
      ...request,
    },
    world.settings({}, { data: resolve(world.path, data) }),
  );
  served.push(one);
  return `http://${formatListenAddress(one.state.addresses[0] ?? { port: 0 })}`;
}

const digest = (at: number): Digest => content.blobs[at]?.descriptor.digest ?? digestOf(Buffer.alloc(0));
const ns = () => `?ns=${upstream.host}`;
const get = (url: string, headers: Record<string, string> = {}) => fetch(url, { headers });

describe('a registry with --proxy that can store nothing', () => {
  async function expectPassedOn(url: string): Promise<void> {
    expect((await get(`${url}/v2/team/app/manifests/latest${ns()}`)).status).toBe(200);
    for (const { descriptor, bytes } of content.blobs) {
      const answer = await get(`${url}/v2/team/app/blobs/${descriptor.digest}${ns()}`);
      expect(Buffer.from(await answer.arrayBuffer())).toEqual(Buffer.from(bytes));
    }
  }

  it('because its quota is reached: passes on what is asked for', async () => {
    await world.file('data/registry.toml', 'quota = "1 B"\n');
    const url = await start({ proxy: [upstream.host] });
    await expectPassedOn(url);
    expect(notices.join('\n')).toContain('the quota of the registry is reached');
    expect((await get(`${url}/v2/team/app/tags/list`)).status).toBe(404);
  });

  it.skipIf(!canMount)('because its file system is read-only: the same, and says so', async () => {
    await using disk = await smallDisk(2048);
    const data = disk?.path ?? '';
    await putImage((await openEmbeddedStore(data)).registry, 'x/y', '1', content);
    await disk?.makeReadOnly();
    // As a path that is absolute, it is the directory itself.
    const url = await start({ proxy: [upstream.host] }, data);
    await expectPassedOn(url);
    expect((await get(`${url}/v2/x/y/manifests/1`)).status).toBe(200);
    expect(notices[0]).toContain('what is fetched is passed on and not stored');
    for (const one of served.splice(0)) await one[Symbol.asyncDispose]();
  });
});

describe('a registry with --proxy', () => {
  it('serves an image of a host that was named, and has it when it is gone', async () => {
    const url = await start({ proxy: [upstream.host] });
    const headers = { 'X-Request-ID': 'asked-by-a-node' };
    expect((await get(`${url}/v2/team/app/manifests/latest${ns()}`, headers)).status).toBe(200);
    expect(upstream.requests.at(-1)?.headers['x-request-id']).toBe('asked-by-a-node');
    for (const { descriptor, bytes } of content.blobs) {
      const answer = await get(`${url}/v2/team/app/blobs/${descriptor.digest}${ns()}`);
      expect(Buffer.from(await answer.arrayBuffer())).toEqual(Buffer.from(bytes));
    }
    // The last byte is sent before all is written down.
    await eventually(async () => (await (await get(`${url}/v2/team/app/tags/list`)).text()).includes('latest'));
    await eventually(() => told.includes('proxy-stored'));
    expect(told).toEqual(expect.arrayContaining(['proxy-fetching', 'proxy-fetched']));
    for (const one of served.splice(0)) await one[Symbol.asyncDispose]();
    upstream.inject((_request, response) => {
      response.destroy();
      return true;
    });
    const again = await start();
    expect((await get(`${again}/v2/team/app/manifests/latest${ns()}`)).headers.get('docker-content-digest')).toBe(
      content.manifest.digest,
    );
    expect((await get(`${again}/v2/team/app/blobs/${digest(1)}`)).status).toBe(200);
  });

  it('takes the header Host for the host only where that one was named', async () => {
    const url = await start({ proxy: [upstream.host, 'plain.example'] });
    const { request } = await import('node:http');
    const status = (host: string, path: string) =>
      new Promise<number>((done, fail) => {
        request(`${url}/v2/${path}/manifests/latest`, { headers: { host } }, (answer) => {
          answer.resume();
          done(answer.statusCode ?? 0);
        })
          .on('error', fail)
          .end();
      });
    expect(await status(upstream.host, 'team/a')).toBe(200);
    expect(await status('other.example', 'team/b')).toBe(404);
    expect(await status('127.0.0.1', 'team/c')).toBe(404);
  });

  it('asks nobody without it, or for another host', async () => {
    const plain = await start();
    expect((await get(`${plain}/v2/team/app/manifests/latest${ns()}`)).status).toBe(404);
    const other = await start({ proxy: [] }, 'other');
    expect((await get(`${other}/v2/team/app/manifests/latest${ns()}`)).status).toBe(404);
    expect(upstream.requests).toEqual([]);
  });

  it('is no open proxy: `*` asks no address of this machine', async () => {
    const url = await start({ proxy: ['*'] });
    expect((await get(`${url}/v2/team/app/manifests/latest${ns()}`)).status).toBe(404);
    const refused = await get(`${url}/v2/team/app/manifests/latest?ns=127.0.0.1`);
    expect(refused.status).toBe(403);
    const told = await refused.text();
    expect(told).toContain('127.0.0.1 is, or leads to, an address that is not public: it has to be named');
    expect(told).toContain('start it with --proxy=127.0.0.1');
    expect(notices.join()).toContain('a client of this registry leads to a loopback address');
    expect(upstream.requests).toEqual([]);
  });

  it('knows a host with the port of https as the same without it', async () => {
    const url = await start({ proxy: ['127.0.0.1'] });
    const { registry, names } = await openEmbeddedStore(resolve(world.path, 'data'));
    const { manifest } = await putImage(registry, 'team/app', '1', content);
    await names.set('quay.io', 'team/app', '1', manifest.digest);
    await putImage(registry, 'team/app', '1', image());
    const found = await get(`${url}/v2/team/app/manifests/1?ns=quay.io:443`, { accept: manifest.mediaType });
    expect(found.headers.get('docker-content-digest')).toBe(manifest.digest);
    const there = await get(`${url}/v2/team/none/manifests/1?ns=127.0.0.1:443`);
    expect(await there.text()).toContain('[127.0.0.1/team/none:1]');
    expect((await get(`${url}/v2/team/none/manifests/1?ns=example.org:443`)).status).toBe(404);
  });

  it('is refused by itself: a loop is told in a sentence', async () => {
    const url = await start({ proxy: ['loop.example'] });
    const own = url.replace('http://', '');
    const data = 'loop';
    const loop = await start({ proxy: [own] }, data);
    const through = await get(`${loop}/v2/team/app/manifests/latest?ns=${own}`);
    expect(through.status).toBe(404);
    const refused = await get(`${url}/v2/team/app/manifests/latest?ns=loop.example`, { 'images-via': 'x,'.repeat(17) });
    expect([refused.status, await refused.text()]).toEqual([
      403,
      expect.stringContaining('a loop: this registry was asked by itself'),
    ]);
  });

  it('tells clients what the other registry said', async () => {
    const url = await start({ proxy: [upstream.host] });
    upstream.inject((_request, response) => {
      response.writeHead(403, { 'content-type': 'application/json' });
      response.end('{"errors":[{"code":"DENIED","message":"no such thing for you"}]}');
      return true;
    });
    const answer = await get(`${url}/v2/team/app/manifests/latest${ns()}`);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('no such thing for you');
  });

  it('takes no page for an image, and passes none on', async () => {
    const url = await start({ proxy: [upstream.host] });
    upstream.inject((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<html>Log in to the network first</html>');
      return true;
    });
    const answer = await get(`${url}/v2/team/app/manifests/latest${ns()}`);
    expect(answer.status).toBe(502);
    expect(await answer.text()).not.toContain('html');
    expect([404, 502]).toContain((await get(`${url}/v2/team/app/blobs/${digest(1)}${ns()}`)).status);
  });

  it('asks nobody for a name or a host that climbs', async () => {
    const url = await start({ proxy: [upstream.host, '*'] });
    for (const path of [`..%2f..%2fetc/manifests/latest${ns()}`, `team/../../etc%2fapp/manifests/1${ns()}`]) {
      expect([400, 404]).toContain((await get(`${url}/v2/${path}`)).status);
    }
    for (const host of ['../../etc', 'a/b', 'a%00b', '[::1', 'a@b'])
      expect((await get(`${url}/v2/team/app/manifests/latest?ns=${host}`)).status, host).toBe(400);
    expect(upstream.requests).toEqual([]);
  });

  it('fetches nothing for who may not pull', async () => {
    const rules = resolve(world.path, 'rules.toml');
    const { writeFile } = await import('node:fs/promises');
    await writeFile(rules, `proxy = ["${upstream.host}"]\n[[rule]]\nrepositories = "open/**"\nallow = ["pull"]\n`);
    const one = await serveRegistry(
      { listen: ['127.0.0.1:0'], version: '1' },
      world.settings({}, { data: resolve(world.path, 'ruled'), config: rules }),
    );
    served.push(one);
    const url = `http://${formatListenAddress(one.state.addresses[0] ?? { port: 0 })}`;
    expect((await get(`${url}/v2/secret/app/manifests/latest${ns()}`)).status).toBe(403);
    expect((await get(`${url}/v2/secret/app/blobs/${digest(1)}${ns()}`)).status).toBe(403);
    expect(upstream.requests).toEqual([]);
    expect((await get(`${url}/v2/open/app/manifests/latest${ns()}`)).status).toBe(200);
    await (await openEmbeddedStore(resolve(world.path, 'ruled'))).registry.statManifest('open/app', 'latest');
  });

  it('says what is fetched where it says what is open', async () => {
    const one = await serveRegistry(
      { listen: ['0.0.0.0:0'], version: '1', proxy: ['lan.example'] },
      world.settings({}, { data: resolve(world.path, 'open') }),
    );
    served.push(one);
    expect(one.open).toContain(
      '; what is pulled and missing is fetched from the well-known registries and lan.example: ',
    );
  });
});
