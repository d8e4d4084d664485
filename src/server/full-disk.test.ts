// A full disk: the client and the operator are told what was not written, and what was acknowledged is there.
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEmbeddedStore } from '../storage/embedded-store.ts';
import { canMount, smallDisk } from '../storage/testing/directories.ts';
import { type Answer, ask } from './testing/ask.ts';
import { blob, putImage } from './testing/content.ts';
import { startServer } from './testing/start.ts';

const BODY = Buffer.alloc(20_000, 'a');

describe.skipIf(!canMount)('a full disk (skipped where we may not mount)', () => {
  it('is a 507 for all that is not written; no answer promises what is not stored', async () => {
    await using disk = await smallDisk(2048);
    const path = disk?.path ?? '';
    const { registry } = await openEmbeddedStore(path);
    await using server = await startServer(registry);
    const at = (location: unknown) => `${server.url}${location}`;
    const begin = async () => at((await ask(`${server.url}/v2/a/blobs/uploads/`, 'POST')).headers.location);
    const { manifest } = await putImage(registry, 'a', 'v1');
    const content = blob(BODY);
    const [whole, chunk, ranged, streamed, end] = await Promise.all([begin(), begin(), begin(), begin(), begin()]);
    const kept = await ask(whole, 'PATCH', { body: BODY });
    expect(kept.headers.range).toBe('0-19999');

    await writeFile(join(path, 'filler'), Buffer.alloc(2_100_000)).catch(() => undefined);
    const refused: Record<string, Answer> = {
      'a chunk': await ask(chunk, 'PATCH', { body: BODY }),
      'a chunk with its range': await ask(ranged, 'PATCH', { body: BODY, headers: { 'Content-Range': '0-19999' } }),
      'a streamed chunk': await ask(streamed, 'PATCH', { body: BODY, streamed: true }),
      'the last chunk': await ask(`${end}?digest=${content.descriptor.digest}`, 'PUT', { body: BODY }),
      'a whole blob': await ask(`${server.url}/v2/a/blobs/uploads/?digest=${content.descriptor.digest}`, 'POST', {
        body: BODY,
      }),
      'the end of an upload': await ask(`${whole}?digest=${content.descriptor.digest}`, 'PUT'),
      'a mount': await ask(`${server.url}/v2/b/blobs/uploads/?mount=${manifest.digest}`, 'POST'),
      'a manifest': await ask(`${server.url}/v2/a/manifests/v2`, 'PUT', {
        body: manifest.bytes,
        headers: { 'Content-Type': manifest.mediaType },
      }),
    };
    for (const [what, answer] of Object.entries(refused)) {
      expect(answer.status, what).toBe(507);
      expect(answer.json(), what).toMatchObject({ errors: [{ code: 'NO_SPACE' }] });
    }
    expect(server.events.filter(({ type }) => type === 'failure')).toHaveLength(Object.keys(refused).length);
    expect((await ask(`${server.url}/v2/a/manifests/v1`, 'GET')).status).toBe(200);
    expect((await ask(`${server.url}/v2/a/manifests/v2`, 'GET')).status).toBe(404);

    await truncate(join(path, 'filler'), 0);
    // Each upload continues at the offset that the server reports.
    for (const url of [whole, chunk, ranged, streamed, end]) {
      const { status, headers } = await ask(url, 'GET');
      // The upload that was committed may be finished already.
      if (url === whole && status === 404) continue;
      const size = sizeIn(headers.range);
      const rest = BODY.subarray(size);
      const put = await ask(`${url}?digest=${content.descriptor.digest}`, 'PUT', { body: rest });
      expect(put.status).toBe(201);
    }
  });
});

describe.skipIf(!canMount)('uploads at once on a small disk (skipped where we may not mount)', () => {
  it('all end, or are refused with a time to come again: none that was acknowledged has gone', async () => {
    await using disk = await smallDisk(8192);
    const { registry } = await openEmbeddedStore(disk?.path ?? '');
    await using server = await startServer(registry);
    const contents = Array.from({ length: 5 }, (_, at) => blob(Buffer.alloc(2_100_000, `${at}`)));
    const url = `${server.url}/v2/a/blobs/uploads/`;
    const begun = await Promise.all(contents.map(async () => (await ask(url, 'POST')).headers.location));
    const at = (path: unknown) => `${server.url}${path}`;
    const kept: string[] = [];
    for (const [index, { bytes, descriptor }] of contents.entries()) {
      const { status, headers } = await ask(at(begun[index]), 'PATCH', { body: bytes });
      if (status === 202) kept.push(`${at(headers.location)}?digest=${descriptor.digest}`);
      else expect([status, headers['retry-after']]).toEqual([429, '30']);
    }
    expect(kept).toHaveLength(2);
    expect((await ask(url, 'POST')).status).toBe(429);
    for (const end of kept) expect((await ask(end, 'PUT')).status).toBe(201);
    expect((await ask(url, 'POST')).status).toBe(202);
  });
});

/** The header `Range: 0-0` means no bytes, although it looks like one. */
function sizeIn(range: unknown): number {
  const last = Number(/^0-(\d+)$/.exec(String(range))?.[1]);
  return last === 0 ? 0 : last + 1;
}
