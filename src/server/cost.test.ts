// The memory and the work that one client can cause: within the limits, and so little that other clients do not notice.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../test/testing/eventually.ts';
import { OCI_INDEX } from '../oci/media-types.ts';
import { ask } from './testing/ask.ts';
import { emptyRegistry, putImage } from './testing/content.ts';
import { limitedServer, putLargeIndex, rawClient, rawGet } from './testing/raw-client.ts';

describe('memory', () => {
  it('that slow readers take is bounded: who comes then is asked to come again', async () => {
    const registry = emptyRegistry();
    await putLargeIndex(registry, 'large', 4_000_000);
    await putImage(registry, 'a', 'small');
    const server = await limitedServer(registry, { heldBytes: 10_000_000 });
    const slow = [rawClient(server, { reads: false }), rawClient(server, { reads: false })];
    for (const { socket } of slow) socket.write(rawGet('/v2/a/manifests/large').repeat(2));
    await eventually(async () => (await ask(`${server.url}/v2/a/manifests/large`, 'GET')).status === 429);
    const refused = await ask(`${server.url}/v2/a/manifests/large`, 'GET');
    expect(refused.json()).toMatchObject({ errors: [{ code: 'TOOMANYREQUESTS' }] });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask(`${server.url}/v2/a/manifests/small`, 'GET')).status).toBe(200);
    for (const { socket } of slow) socket.destroy();
    await eventually(async () => (await ask(`${server.url}/v2/a/manifests/large`, 'GET')).status === 200);
  });

  const putOf = (tag: string, sent: number) =>
    `PUT /v2/a/manifests/${tag} HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n${'x'.repeat(sent)}`;

  it('that slow senders of manifests take is bounded, too', async () => {
    const registry = emptyRegistry();
    const { manifest } = await putImage(registry, 'a', 'v1');
    const server = await limitedServer(registry, { heldBytes: 8_000_000 });
    let isRefused = false;
    // The machine's load decides which of them is last. The longer the third one waits, the more likely it is that one.
    for (let wait = 25; !isRefused && wait < 10_000; wait *= 2) {
      const clients = [rawClient(server), rawClient(server), rawClient(server)] as const;
      for (const [at, { socket }] of clients.slice(0, 2).entries()) socket.write(putOf(`s${at}`, 3_900_000));
      await delay(wait);
      const [, , third] = clients;
      third.socket.write(putOf('third', 3_900_000));
      await delay(wait);
      isRefused = third.received().startsWith('HTTP/1.1 429');
      if (!isRefused) for (const { socket } of clients) socket.destroy();
    }
    expect(isRefused).toBe(true);
    const small = { body: manifest.bytes, headers: { 'Content-Type': manifest.mediaType } };
    expect((await ask(`${server.url}/v2/a/manifests/v2`, 'PUT', small)).status).toBe(201);
  });

  it('is not held for bytes that are announced and not sent', async () => {
    const server = await limitedServer(emptyRegistry(), { heldBytes: 8_000_000 });
    const slow = Array.from({ length: 20 }, () => rawClient(server));
    for (const [at, { socket }] of slow.entries()) socket.write(putOf(`s${at}`, 1));
    await eventually(() => slow.every(({ socket }) => socket.bytesWritten > 0));
    await delay(50);
    const fields = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [], annotations: { a: 'x'.repeat(3_900_000) } };
    const large = { body: JSON.stringify(fields), headers: { 'Content-Type': OCI_INDEX } };
    expect((await ask(`${server.url}/v2/a/manifests/large`, 'PUT', large)).status).toBe(201);
    expect(slow.map(({ received }) => received())).toEqual(slow.map(() => ''));
  });
});

describe('a request', () => {
  it('may set only a limited number of tags', async () => {
    const registry = emptyRegistry();
    const { manifest } = await putImage(registry, 'a', 'v1');
    const server = await limitedServer(registry, { tags: 20 });
    const put = (count: number) => {
      const tags = Array.from({ length: count }, (_, at) => `tag=t${at}`).join('&');
      const content = { body: manifest.bytes, headers: { 'Content-Type': manifest.mediaType } };
      return ask(`${server.url}/v2/a/manifests/${manifest.digest}?${tags}`, 'PUT', content);
    };
    expect((await put(20)).status).toBe(201);
    expect((await put(21)).json()).toMatchObject({ errors: [{ code: 'TAG_INVALID' }] });
  });

  it('may name only a limited number of descriptors, each counted once', async () => {
    const registry = emptyRegistry();
    const { manifest } = await putImage(registry, 'a', 'v1');
    const server = await limitedServer(registry, { descriptors: 50 });
    const put = (digests: readonly string[]) => {
      const manifests = digests.map((digest) => ({ mediaType: manifest.mediaType, digest, size: 1 }));
      const body = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
      return ask(`${server.url}/v2/a/manifests/i`, 'PUT', { body, headers: { 'Content-Type': OCI_INDEX } });
    };
    const many = Array.from({ length: 51 }, (_, at) => `sha256:${at.toString(16).padStart(64, '0')}`);
    expect((await put(many.slice(0, 50))).status).toBe(201);
    expect((await put(new Array<string>(5000).fill(manifest.digest))).status).toBe(201);
    expect((await put(many)).json()).toMatchObject({ errors: [{ code: 'MANIFEST_INVALID' }] });
  });

  it('gets a list of limited size, whatever it asks for, with a link to the rest', async () => {
    const registry = emptyRegistry();
    const { manifest } = await putImage(registry, 'a', 'v1');
    const tags = Array.from({ length: 25 }, (_, at) => `t${at}`);
    await registry.putManifest('a', manifest, tags);
    const server = await limitedServer(registry, { page: 10 });
    for (const n of ['', '?n=1000', '?n=11', '?n=999999999999999']) {
      const found: string[] = [];
      let path: string | undefined = `/v2/a/tags/list${n}`;
      while (path) {
        const answer = await ask(`${server.url}${path}`, 'GET');
        const page = (answer.json() as { readonly tags: readonly string[] }).tags;
        expect(page.length).toBeLessThanOrEqual(10);
        found.push(...page);
        path = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link))?.[1];
      }
      expect(found).toEqual([...tags, 'v1'].sort());
    }
  });
});
